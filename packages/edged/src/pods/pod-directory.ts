import type { Pod } from '@edge/protocol';
import type { ActualPod } from '../plan/actual.js';
import type { PodVerdict } from '../plan/verdict.js';
import { PodWorker, type PodWorkerDeps } from './pod-worker.js';
import type { PodControl, PodRecord, PodsView } from './pods-view.js';

export interface PodDirectoryDeps extends Omit<PodWorkerDeps, 'uid' | 'mustWait' | 'onGone'> {
  /** Nothing is left of a pod and it is no longer here. */
  readonly onGone: (uid: string) => void;
}

/** The pods of the node, by uid and by name, and a worker for each. */
export class PodDirectory implements PodsView, PodControl {
  readonly #deps: PodDirectoryDeps;
  readonly #workers = new Map<string, PodWorker>();

  constructor(deps: PodDirectoryDeps) {
    this.#deps = deps;
  }

  /** By uid. */
  get workers(): ReadonlyMap<string, PodWorker> {
    return this.#workers;
  }

  /** The worker of the pod that has the name; one that was taken away has it no more. */
  named(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      if (!worker.removed && hasName(worker, namespace, name)) return worker;
    }
    return undefined;
  }

  /**
   * Begins to work on a pod.
   * @param pod undefined for what the runtime still has of a pod that nobody knows; it ends
   * @param named the name of such a pod
   */
  add(uid: string, pod: Pod | undefined, named: { readonly namespace?: string; readonly name?: string } = pod?.metadata ?? {}): void {
    const { namespace = '', name = '' } = named;
    const worker = new PodWorker(
      { ...this.#deps, uid, mustWait: ({ metadata }) => this.#nameIsHeld(uid, metadata.namespace, metadata.name), onGone: () => this.#gone(uid, namespace, name) },
      pod,
    );
    this.#workers.set(uid, worker);
    worker.wake();
  }

  list(): readonly PodRecord[] {
    return [...this.#workers.values()].flatMap((worker) => this.#record(worker) ?? []);
  }

  find(namespace: string, name: string): PodRecord | undefined {
    return this.#record(this.named(namespace, name));
  }

  byUid(uid: string): PodRecord | undefined {
    return this.#record(this.#workers.get(uid));
  }

  async observe(uid: string, signal: AbortSignal): Promise<ActualPod> {
    return (await this.#deps.view.observe(uid, signal)).actual;
  }

  fail(uid: string, verdict: PodVerdict): void {
    this.#workers.get(uid)?.fail(verdict);
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  /** What could not be done is tried again at once. */
  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** Resolves when nobody works any more; the signal has to have aborted. */
  async settled(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.settled()));
  }

  #record(worker: PodWorker | undefined): PodRecord | undefined {
    if (!worker?.pod) return undefined;
    const { pod, removed, terminating } = worker;
    return { pod, status: this.#deps.statuses.previous(pod.metadata.uid ?? ''), terminating, removed };
  }

  /** By another pod that was taken away and of which something is still there. */
  #nameIsHeld(uid: string, namespace = '', name = ''): boolean {
    for (const [other, worker] of this.#workers) {
      if (other !== uid && worker.removed && hasName(worker, namespace, name)) return true;
    }
    return false;
  }

  async #gone(uid: string, namespace: string, name: string): Promise<void> {
    const { isolation, volumes, statuses, probes, images, admission, hold, signal, onGone } = this.#deps;
    await isolation?.release(uid, signal);
    await volumes.remove(uid, signal);
    this.#workers.delete(uid);
    for (const part of [statuses, probes, images, admission, hold]) part.forget(uid);
    onGone(uid);
    for (const worker of this.#workers.values()) if (hasName(worker, namespace, name)) worker.wake();
  }
}

function hasName({ pod }: PodWorker, namespace: string, name: string): boolean {
  return pod?.metadata.name === name && pod.metadata.namespace === namespace;
}
