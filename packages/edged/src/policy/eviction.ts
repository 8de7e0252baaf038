import { errorText, isAbort, sleep, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { hasEnded, type PodControl, type PodRecord, type PodsView } from '../pods/pods-view.js';
import type { NodeSignals } from './node-signals.js';
import { CALM, isResolved, lookAtPressure, type EvictionState, type Observation, type Observations } from './plan-eviction.js';
import type { DiskParts, PodUseReader } from './pod-use.js';
import type { Pressure } from './pressure.js';
import { evictionMessage, rankPods, resourceOf } from './rank-pods.js';
import { isCritical } from './standing.js';
import { hasStorageLimit, storageExcess } from './storage-limits.js';
import { PRESSURE_OF, type Threshold } from './thresholds.js';

const LOOK_MS = 10_000;
/** Measuring what pods have written costs, so limits on it are looked after less often. */
const LIMITS_MS = 60_000;
/** At a hard limit a pod gets this time to end. */
const HARD_GRACE_SECONDS = 1;
/** So long the next look waits for an evicted pod to end. */
const PATIENCE_MS = 30_000;
const POLL_MS = 250;

export interface EvictionDeps {
  readonly thresholds: readonly Threshold[];
  readonly transitionMs: number;
  /** Most time that a pod evicted at a soft limit gets, seconds. */
  readonly softGraceSeconds: number;
  /** Also evict pods that take more of the disk than they may. */
  readonly limitStorage: boolean;
  readonly signals: Pick<NodeSignals, 'observe' | 'hasOwnImageDisk'>;
  readonly use: Pick<PodUseReader, 'measure' | 'disk'>;
  readonly pods: Pick<PodsView, 'list' | 'byUid'>;
  readonly control: Pick<PodControl, 'fail'>;
  /** Removes images and containers that nobody uses. */
  readonly reclaimDisk: (signal: AbortSignal) => Promise<void>;
  /** The conditions of the node have changed. */
  readonly onPressure: () => void;
  readonly log: Logger;
}

/** Watches what is left of memory, disk and processes, and when it is too little ends pods, one at a time. */
export class Eviction {
  readonly #deps: EvictionDeps;
  #state: EvictionState = CALM;
  #pressure: ReadonlySet<Pressure> = new Set();
  #limitsLookedAt = 0;
  readonly #evicted = new Set<string>();

  constructor(deps: EvictionDeps) {
    this.#deps = deps;
  }

  /** What the node is short of now. */
  get pressure(): ReadonlySet<Pressure> {
    return this.#pressure;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const evicted = await this.look(signal).catch((error: unknown) => {
        if (isAbort(error)) throw error;
        this.#deps.log.warn('what is left of the machine cannot be looked at, tried again', { err: errorText(error) });
        return [];
      });
      if (evicted.length > 0) await this.#untilEnded(evicted, signal);
      else await sleep(LOOK_MS, signal);
    }
  }

  /** One look, and what follows from it. Returns the uids of the pods that were evicted. */
  async look(signal: AbortSignal): Promise<string[]> {
    const { thresholds, transitionMs, signals, pods } = this.#deps;
    const observations = await signals.observe(signal);
    const { state, pressure, due } = lookAtPressure({ thresholds, transitionMs, state: this.#state, observations, now: Date.now() });
    this.#state = state;
    this.#setPressure(pressure);
    for (const uid of this.#evicted) if (!pods.byUid(uid)) this.#evicted.delete(uid);
    const beyondLimits = await this.#evictBeyondLimits(signal);
    if (beyondLimits.length > 0) return beyondLimits;
    const [first] = due;
    const seen = first && observations.get(first.signal);
    if (!first || !seen) return [];
    if (PRESSURE_OF[first.signal] === 'DiskPressure' && (await this.#reclaimed(signal))) return [];
    return this.#evictOne(first, seen, signal);
  }

  #setPressure(pressure: ReadonlySet<Pressure>): void {
    const [before, after] = [[...this.#pressure].join(), [...pressure].join()];
    this.#pressure = pressure;
    if (before === after) return;
    this.#deps.log.warn(after === '' ? 'the node has enough of everything again' : 'the node runs short', { conditions: after, before });
    this.#deps.onPressure();
  }

  /** True when removing what nobody uses was enough. */
  async #reclaimed(signal: AbortSignal): Promise<boolean> {
    const { reclaimDisk, signals, thresholds, log } = this.#deps;
    await reclaimDisk(signal).catch((error: unknown) => {
      if (isAbort(error)) throw error;
      log.warn('disk space cannot be reclaimed', { err: errorText(error) });
    });
    const after: Observations = await signals.observe(signal);
    return isResolved(thresholds.filter((one) => PRESSURE_OF[one.signal] === 'DiskPressure'), after);
  }

  async #evictOne(threshold: Threshold, seen: Observation, signal: AbortSignal): Promise<string[]> {
    const { use, log, softGraceSeconds } = this.#deps;
    const pods = this.#candidates().map(({ pod }) => pod);
    const parts = await this.#partsOn(threshold, signal);
    const measured = await use.measure(threshold.signal, pods, parts, signal);
    const ranked = rankPods(threshold.signal, pods.map((pod) => ({ pod, use: measured.get(pod.metadata.uid ?? '') })));
    const [victim] = ranked;
    if (!victim) {
      log.warn('the node is short and no pod can be evicted', { of: resourceOf(threshold.signal) });
      return [];
    }
    const own = victim.pod.spec.terminationGracePeriodSeconds ?? softGraceSeconds;
    this.#evict(victim.pod, evictionMessage(threshold, seen, victim), threshold.graceMs === 0 ? HARD_GRACE_SECONDS : Math.min(softGraceSeconds, own), true);
    return [victim.pod.metadata.uid ?? ''];
  }

  async #partsOn(threshold: Threshold, signal: AbortSignal): Promise<DiskParts> {
    if (PRESSURE_OF[threshold.signal] !== 'DiskPressure' || !(await this.#deps.signals.hasOwnImageDisk(signal))) return { files: true, layers: true };
    const images = threshold.signal.startsWith('imagefs');
    return { files: !images, layers: images };
  }

  async #evictBeyondLimits(signal: AbortSignal): Promise<string[]> {
    const now = Date.now();
    if (!this.#deps.limitStorage || now - this.#limitsLookedAt < LIMITS_MS) return [];
    this.#limitsLookedAt = now;
    const limited = this.#candidates().map(({ pod }) => pod).filter(hasStorageLimit);
    if (limited.length === 0) return [];
    const layers = !(await this.#deps.signals.hasOwnImageDisk(signal));
    const measured = await this.#deps.use.disk(limited, { files: true, layers }, ({ bytes }) => bytes, signal);
    return limited.flatMap((pod) => {
      const use = measured.get(pod.metadata.uid ?? '');
      const message = use && storageExcess(pod, use);
      if (message === undefined) return [];
      this.#evict(pod, message, HARD_GRACE_SECONDS, false);
      return [pod.metadata.uid ?? ''];
    });
  }

  /** Pods that still work or may; those that the system needs are left alone. */
  #candidates(): PodRecord[] {
    return this.#deps.pods
      .list()
      .filter((record) => record.status.startTime !== undefined && !hasEnded(record))
      .filter(({ pod }) => !isCritical(pod) && !this.#evicted.has(pod.metadata.uid ?? ''));
  }

  #evict(pod: Pod, message: string, graceSeconds: number, forTheNode: boolean): void {
    this.#deps.log.warn('pod evicted', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, message });
    this.#evicted.add(pod.metadata.uid ?? '');
    const conditions = forTheNode ? [{ type: 'DisruptionTarget', status: 'True' as const, reason: 'TerminationByKubelet', message }] : [];
    this.#deps.control.fail(pod.metadata.uid ?? '', { reason: 'Evicted', message, graceSeconds, conditions });
  }

  async #untilEnded(uids: readonly string[], signal: AbortSignal): Promise<void> {
    const over = (uid: string): boolean => {
      const record = this.#deps.pods.byUid(uid);
      return record === undefined || hasEnded(record);
    };
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !uids.every(over); ) await sleep(POLL_MS, signal);
  }
}
