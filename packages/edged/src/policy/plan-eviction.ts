import type { Pressure } from './pressure.js';
import { boundAmount, PRESSURE_OF, type EvictionSignal, type Threshold } from './thresholds.js';

/** What is left of something, at one moment: bytes, inodes or processes. */
export interface Observation {
  readonly available: bigint;
  readonly capacity: bigint;
}

export type Observations = ReadonlyMap<EvictionSignal, Observation>;

/** What has to be remembered between two looks. */
export interface EvictionState {
  /** Since when a threshold is met, milliseconds since the epoch. */
  readonly metSince: ReadonlyMap<Threshold, number>;
  /** Thresholds that led to evictions at the last look and may not be resolved yet. */
  readonly due: readonly Threshold[];
  /** When a condition was last seen. */
  readonly seenAt: ReadonlyMap<Pressure, number>;
}

export const CALM: EvictionState = { metSince: new Map(), due: [], seenAt: new Map() };

export interface EvictionLook {
  readonly state: EvictionState;
  /** Conditions of the node, in the order in which it reports them. */
  readonly pressure: ReadonlySet<Pressure>;
  /** Thresholds for which something has to be freed now, the most urgent first. */
  readonly due: readonly Threshold[];
}

export interface LookInput {
  readonly thresholds: readonly Threshold[];
  /** How long a condition stays after it was last seen. */
  readonly transitionMs: number;
  readonly state: EvictionState;
  readonly observations: Observations;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const ORDER: readonly Pressure[] = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** What follows from a look at the machine. Pure. */
export function lookAtPressure({ thresholds, transitionMs, state, observations, now }: LookInput): EvictionLook {
  const met = thresholds.filter((one) => isMet(one, observations, false) || (state.due.includes(one) && isMet(one, observations, true)));
  const metSince = new Map(met.map((one) => [one, state.metSince.get(one) ?? now]));
  const seenAt = new Map(state.seenAt);
  for (const { signal } of met) seenAt.set(PRESSURE_OF[signal], now);
  const pressure = new Set(ORDER.filter((condition) => now - (seenAt.get(condition) ?? -Infinity) < transitionMs || met.some(({ signal }) => PRESSURE_OF[signal] === condition)));
  const due = met.filter((one) => now - (metSince.get(one) ?? now) >= one.graceMs).sort((a, b) => urgency(a) - urgency(b));
  return { state: { metSince, due, seenAt }, pressure, due };
}

/** True when all that was asked for is free again, reserves included. */
export function isResolved(thresholds: readonly Threshold[], observations: Observations): boolean {
  return !thresholds.some((one) => isMet(one, observations, true));
}

/** What was not observed is not met: a machine without the number has no such limit. */
function isMet({ signal, below, reclaim }: Threshold, observations: Observations, withReserve: boolean): boolean {
  const seen = observations.get(signal);
  if (!seen) return false;
  const reserve = withReserve && reclaim ? boundAmount(reclaim, seen.capacity) : 0n;
  return seen.available < boundAmount(below, seen.capacity) + reserve;
}

/** A machine without memory may stop at any moment; a full disk only hinders. */
function urgency({ signal, graceMs }: Threshold): number {
  return ORDER.indexOf(PRESSURE_OF[signal]) * 2 + (graceMs > 0 ? 1 : 0);
}
