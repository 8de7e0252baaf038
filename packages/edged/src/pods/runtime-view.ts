import type { ContainerRuntime, PodSandbox, PodSandboxStatus, RuntimeContainer, RuntimeContainerStatus } from '@edge/core';
import { errorCode } from '@edge/core';
import { newestFirst, nothingThere, type ActualPod } from '../plan/actual.js';
import type { TerminationMessages } from '../messages/termination-messages.js';
import { PodLabels } from '../plan/identity.js';

/** What the runtime lists of one pod. */
export interface ListedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly sandboxes: readonly PodSandbox[];
  readonly containers: readonly RuntimeContainer[];
}

type Listing = ReadonlyMap<string, ListedPod>;

/**
 * The runtime as seen by many pods. Pods that look at the same time share one listing, and details are asked for only
 * where the state has changed, so that a thousand quiet pods cost two calls.
 */
export class RuntimeView {
  readonly #runtime: ContainerRuntime;
  readonly #messages: TerminationMessages;
  readonly #sandboxDetails = new Map<string, PodSandboxStatus>();
  readonly #containerDetails = new Map<string, RuntimeContainerStatus>();
  #owners = new Map<string, string>();
  #waiting: Promise<Listing> | undefined;
  #current: Promise<unknown> = Promise.resolve();

  constructor(deps: { runtime: ContainerRuntime; messages: TerminationMessages }) {
    this.#runtime = deps.runtime;
    this.#messages = deps.messages;
  }

  /** All pods that the runtime has anything of, by uid. The listing starts after the call, so it holds all that happened before. */
  list(signal: AbortSignal): Promise<Listing> {
    if (this.#waiting === undefined) {
      const next = this.#current
        .catch(() => undefined)
        // All that ask within one turn of the event loop are served by one listing.
        .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
        .then(() => {
          this.#waiting = undefined;
          return this.#list(signal);
        });
      this.#waiting = next;
      this.#current = next;
    }
    return this.#waiting;
  }

  /** One pod in detail. */
  async observe(uid: string, signal: AbortSignal): Promise<{ actual: ActualPod; fingerprint: string }> {
    const listed = (await this.list(signal)).get(uid);
    if (!listed) return { actual: nothingThere(uid), fingerprint: '' };
    const sandboxes = await Promise.all(listed.sandboxes.map((sandbox) => this.#listedSandbox(sandbox, signal)));
    const containers = await Promise.all(listed.containers.map((container) => this.#container(container, signal)));
    const there = <T>(item: T | undefined): item is T => item !== undefined;
    return {
      actual: { uid, sandboxes: newestFirst(sandboxes.filter(there)), containers: newestFirst(containers.filter(there)) },
      fingerprint: fingerprint(listed),
    };
  }

  /**
   * A sandbox that was just made.
   * @throws as `podSandboxStatus` of the runtime
   */
  async sandbox(id: string, signal: AbortSignal): Promise<PodSandboxStatus> {
    const status = await this.#runtime.podSandboxStatus(id, signal);
    this.#sandboxDetails.set(id, status);
    return status;
  }

  /** The pod that a sandbox belongs to, as far as the last listing knows. */
  ownerOf(sandboxId: string): string | undefined {
    return this.#owners.get(sandboxId);
  }

  /** True when a container or sandbox was seen ended at the last look at it. */
  hasSeenEnd(id: string): boolean {
    return this.#containerDetails.get(id)?.state === 'exited' || this.#sandboxDetails.get(id)?.state === 'notready';
  }

  async #list(signal: AbortSignal): Promise<Listing> {
    const [sandboxes, containers] = await Promise.all([this.#runtime.listPodSandboxes(undefined, signal), this.#runtime.listContainers(undefined, signal)]);
    const pods = new Map<string, { sandboxes: PodSandbox[]; containers: RuntimeContainer[]; namespace: string; name: string }>();
    const of = (labels: Readonly<Record<string, string>>): { sandboxes: PodSandbox[]; containers: RuntimeContainer[] } | undefined => {
      const uid = labels[PodLabels.uid];
      // Without the label it was not made by an agent like us and is not ours to touch.
      if (uid === undefined || uid === '') return undefined;
      const known = pods.get(uid);
      if (known) return known;
      const fresh = { sandboxes: [], containers: [], namespace: labels[PodLabels.namespace] ?? '', name: labels[PodLabels.name] ?? '' };
      pods.set(uid, fresh);
      return fresh;
    };
    for (const sandbox of sandboxes) of(sandbox.labels)?.sandboxes.push(sandbox);
    for (const container of containers) of(container.labels)?.containers.push(container);
    this.#owners = new Map(sandboxes.map(({ id, labels }) => [id, labels[PodLabels.uid] ?? '']));
    forgetOthers(this.#sandboxDetails, new Set(sandboxes.map(({ id }) => id)));
    forgetOthers(this.#containerDetails, new Set(containers.map(({ id }) => id)));
    return new Map([...pods].map(([uid, parts]) => [uid, { uid, ...parts }]));
  }

  async #listedSandbox(listed: PodSandbox, signal: AbortSignal): Promise<PodSandboxStatus | undefined> {
    const known = this.#sandboxDetails.get(listed.id);
    return known?.state === listed.state ? known : orGone(this.sandbox(listed.id, signal));
  }

  async #container(listed: RuntimeContainer, signal: AbortSignal): Promise<RuntimeContainerStatus | undefined> {
    const known = this.#containerDetails.get(listed.id);
    if (known?.state === listed.state) return known;
    const bare = await orGone(this.#runtime.containerStatus(listed.id, signal));
    if (!bare) return undefined;
    const status = await this.#messages.complete(bare);
    this.#containerDetails.set(listed.id, status);
    return status;
  }
}

/** Changes when anything about the pod has changed; empty for nothing there. */
export function fingerprint(listed: Pick<ListedPod, 'sandboxes' | 'containers'> | undefined): string {
  if (!listed) return '';
  const { sandboxes, containers } = listed;
  return [...sandboxes, ...containers]
    .map(({ id, state }) => `${id}=${state}`)
    .sort()
    .join(' ');
}

function forgetOthers(map: Map<string, unknown>, present: ReadonlySet<string>): void {
  for (const id of map.keys()) if (!present.has(id)) map.delete(id);
}

/** Removed between the listing and the question. */
async function orGone<T>(status: Promise<T>): Promise<T | undefined> {
  try {
    return await status;
  } catch (error) {
    if (errorCode(error) === 'runtime.not-found') return undefined;
    throw error;
  }
}
