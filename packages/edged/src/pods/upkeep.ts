import { errorText, isAbort, sleep, type Logger } from '@edge/core';
import type { Isolation } from '../isolation/isolation.js';
import type { LogLinks } from '../logs/log-links.js';
import { objectKey, podReferences, volumeReferences, type ObjectReference } from '../plan/references.js';
import type { VolumeRefresh } from '../volumes/volume-refresh.js';
import type { Leftovers } from './leftovers.js';
import type { PodDirectory } from './pod-directory.js';
import type { RuntimeView } from './runtime-view.js';

/** Between looks at what pods mount (files follow their objects, tokens are renewed) and at what pods have left behind. */
const SWEEP_MS = 60_000;
/** To the first look at what was left behind while no agent ran: the second one, which counts, does not come so late then. */
const FIRST_LOOK_MS = 10_000;

export interface UpkeepDeps {
  readonly pods: Pick<PodDirectory, 'workers'>;
  readonly view: Pick<RuntimeView, 'list'>;
  readonly refresh: Pick<VolumeRefresh, 'refresh'>;
  readonly leftovers: Pick<Leftovers, 'sweep'>;
  readonly links: Pick<LogLinks, 'sweep'>;
  readonly isolation?: Pick<Isolation, 'sweep'> | undefined;
  /** Whether all pods of the node are known. */
  readonly complete: () => boolean;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Keeps the files of pods up to date, and removes those of pods that are gone. */
export class Upkeep {
  readonly #deps: UpkeepDeps;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { signal } = this.#deps;
    await sleep(FIRST_LOOK_MS, signal);
    await this.#sweepLeftovers();
    while (!signal.aborted) {
      await sleep(SWEEP_MS, signal);
      await this.#sweepLeftovers();
      this.refreshAll();
    }
  }

  /** Writes anew what pods mount and what has changed. */
  refreshAll(): void {
    const { pods, refresh, signal } = this.#deps;
    for (const { pod, removed } of pods.workers.values()) {
      if (pod && !removed) refresh.refresh(pod, signal);
    }
  }

  /** A ConfigMap or Secret has changed: mounted files follow, and containers that wait for it try again. */
  objectChanged(namespace: string, changed: ObjectReference): void {
    const { pods, refresh, signal } = this.#deps;
    const key = objectKey(changed);
    const isMeant = (reference: ObjectReference): boolean => objectKey(reference) === key;
    for (const worker of pods.workers.values()) {
      const { pod } = worker;
      if (!pod || worker.removed || pod.metadata.namespace !== namespace || !podReferences(pod).some(isMeant)) continue;
      if ((pod.spec.volumes ?? []).some((volume) => volumeReferences(volume).some(isMeant))) refresh.refresh(pod, signal);
      worker.wake();
    }
  }

  async #sweepLeftovers(): Promise<void> {
    const { pods, view, leftovers, links, isolation, complete, signal, log } = this.#deps;
    if (!complete()) return;
    try {
      const listed = await view.list(signal);
      const isKnown = (uid: string): boolean => pods.workers.has(uid) || listed.has(uid);
      await leftovers.sweep(isKnown, signal);
      await links.sweep();
      await isolation?.sweep(isKnown, signal);
    } catch (error) {
      if (!isAbort(error)) log.warn('what pods have left behind cannot be looked through', { err: errorText(error) });
    }
  }
}
