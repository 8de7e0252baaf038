import { randomUUID } from 'node:crypto';
import { errorText, type Logger } from '@edge/core';
import { Operations, podHasVanished, readObjectResponse, ResourceTypes, type Message, type Pod } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import type { ListedPod } from './runtime-view.js';

/** Between questions about the same pod that got no answer. */
const ASK_AGAIN_MS = 30_000;

export interface OrphansDeps {
  readonly meta: MetaClient;
  readonly nodeName: string;
  readonly connected: () => boolean;
  /** The cloud has the pod, on this node. */
  readonly onPod: (pod: Pod) => void;
  /** Nobody wants it any more. */
  readonly onOrphan: (pod: ListedPod) => void;
  readonly log: Logger;
}

/**
 * Pods that the runtime has and the store does not. A store that held other pods before the link was up is right: this
 * one was deleted. Otherwise it may have been lost, and what is in it may be the first of what the cloud sends again,
 * which need not be everything. So the cloud is asked: a status patch that changes nothing is answered with the pod.
 * Until it has answered nothing is touched.
 */
export class Orphans {
  readonly #deps: OrphansDeps;
  readonly #asked = new Map<string, { readonly pod: ListedPod; readonly id: string; readonly at: number }>();
  #storeIsRight = false;

  constructor(deps: OrphansDeps) {
    this.#deps = deps;
  }

  /** @param pods how many the store holds now, when it is read first */
  storeHeld(pods: number): void {
    this.#storeIsRight = pods > 0 && !this.#deps.connected();
  }

  /** A pod in the runtime of which the store says nothing; may be told again and again. */
  found(pod: ListedPod): void {
    const { connected, onOrphan, log } = this.#deps;
    if (this.#storeIsRight) return onOrphan(pod);
    const before = this.#asked.get(pod.uid);
    if (!connected() || (before && performance.now() - before.at < ASK_AGAIN_MS)) return;
    if (!before) log.info('pod in the runtime is not in the store; the cloud is asked about it', { pod: `${pod.namespace}/${pod.name}`, uid: pod.uid });
    const id = randomUUID();
    this.#asked.set(pod.uid, { pod, id, at: performance.now() });
    const resource = `${pod.namespace}/${ResourceTypes.podPatch}/${pod.name}`;
    this.#deps.meta.send(Operations.patch, resource, JSON.stringify({ metadata: { uid: pod.uid } }), id).catch((error: unknown) => {
      log.verbose(1, 'question about a pod not sent, asked again later', { resource, err: errorText(error) });
    });
  }

  /** The answer to a status patch, perhaps to one of these. */
  answered(message: Message): void {
    const asked = [...this.#asked.values()].find(({ id }) => id === message.header.parentId);
    if (!asked) return;
    const { pod: listed } = asked;
    const { object: pod, error } = readObjectResponse<Pod>(message.content);
    if (error && !podHasVanished(error, listed.name)) {
      this.#deps.log.warn('the cloud does not say whether a pod in the runtime belongs here, asked again later', { pod: `${listed.namespace}/${listed.name}`, err: error.message });
      return;
    }
    this.#asked.delete(listed.uid);
    if (pod?.metadata.uid === listed.uid && pod.spec.nodeName === this.#deps.nodeName) this.#deps.onPod(pod);
    else this.#deps.onOrphan(listed);
  }
}
