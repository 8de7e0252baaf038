import { errorText, isAbort, sleep, type CloudLink, type Logger } from '@edge/core';
import { Operations, readObjectResponse, ResourceTypes, type KubeNode, type Pod } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { mirrorOf, planMirrors, type MirrorScene } from './plan-mirrors.js';
import { fullName } from '../plan/full-name.js';

/** After so long a step that has had no effect is tried again. */
const RETRY_MS = 30_000;
/** Changes come in groups: a removed file and the end of its pod, a deleted mirror and its push. */
const SETTLE_MS = 50;

export interface MirrorPodsDeps {
  readonly meta: MetaClient;
  readonly link: CloudLink;
  /** The Node object; a mirror needs its uid. */
  readonly node: () => KubeNode | undefined;
  readonly scene: () => MirrorScene;
  /** A mirror as the API has it now. */
  readonly onMirror: (mirror: Pod) => void;
  readonly log: Logger;
}

/** Shows static pods in the API, where their status can be read. */
export class MirrorPods {
  readonly #deps: MirrorPodsDeps;
  /** When a step was begun, by what it does. */
  readonly #begun = new Map<string, number>();
  #news = new AbortController();

  constructor(deps: MirrorPodsDeps) {
    this.#deps = deps;
  }

  /** Something has changed: look again. */
  wake(): void {
    this.#news.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { link } = this.#deps;
    while (!signal.aborted) {
      await link.until(({ connected }) => connected, signal);
      await sleep(SETTLE_MS, signal);
      this.#news = new AbortController();
      await this.#round(signal);
      await sleep(RETRY_MS, AbortSignal.any([signal, this.#news.signal])).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const node = this.#deps.node();
    if (node === undefined || node.metadata.deletionTimestamp !== undefined) return;
    const { create, remove } = planMirrors(this.#deps.scene());
    await Promise.all([
      ...remove.map((mirror) => this.#once(`remove ${mirror.metadata.uid}`, () => this.#remove(mirror))),
      ...create.map((pod) => this.#once(`create ${pod.metadata.uid}`, () => this.#create(pod, node, signal))),
    ]);
  }

  async #once(key: string, step: () => Promise<void>): Promise<void> {
    const now = Date.now();
    for (const [other, at] of this.#begun) if (now - at > RETRY_MS) this.#begun.delete(other);
    if (this.#begun.has(key)) return;
    this.#begun.set(key, now);
    try {
      await step();
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#deps.log.warn('static pod not brought to the cloud, tried again later', { step: key, err: errorText(error) });
    }
  }

  async #create(pod: Pod, node: KubeNode, signal: AbortSignal): Promise<void> {
    const content = await this.#deps.meta.request(Operations.insert, resourceOf(pod), mirrorOf(pod, node), signal);
    const answer = readObjectResponse<Pod>(content);
    if (answer.error === undefined) {
      // Deleted again it is to be made again at once.
      this.#begun.delete(`create ${pod.metadata.uid}`);
      this.#deps.onMirror(answer.object);
      return;
    }
    const { reason = '', message } = answer.error;
    // The cloud sends what it has anyway.
    if (reason === 'AlreadyExists') return;
    this.#deps.log.warn('the cloud refuses the mirror of a static pod; the pod runs all the same', { pod: fullName(pod), reason, err: message });
  }

  async #remove(mirror: Pod): Promise<void> {
    await this.#deps.meta.send(Operations.delete, resourceOf(mirror), { gracePeriodSeconds: 0, preconditions: { uid: mirror.metadata.uid } });
  }
}

function resourceOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${ResourceTypes.pod}/${metadata.name}`;
}
