import type { Probe } from '@edge/protocol';
import type { ProbeKind } from './result.js';

/** Longer than any container lives, and still a number that can be added to. */
const LONGEST_DELAY_SECONDS = 10 * 365 * 86_400;

export const periodMs = (probe: Probe): number => Math.max(1, probe.periodSeconds ?? 10) * 1000;
export const timeoutMs = (probe: Probe): number => Math.max(1, probe.timeoutSeconds ?? 1) * 1000;

export interface FirstProbe {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  /** Milliseconds that the container has run for. Negative after the clock was set back. */
  readonly age: number;
  /** It ran before this agent did. */
  readonly found: boolean;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * Milliseconds until a run of a container is probed for the first time: after `initialDelaySeconds` from its start. A
 * liveness probe without one leaves the container a period, as upstream does on average. Containers that the agent finds
 * running are spread over a period, so that a restart of the agent is no storm. Pure.
 */
export function firstProbeIn({ kind, probe, age, found, random }: FirstProbe): number {
  const delay = Math.min(probe.initialDelaySeconds ?? 0, LONGEST_DELAY_SECONDS) * 1000;
  const after = kind === 'liveness' && delay === 0 ? periodMs(probe) : delay;
  const rest = Math.max(0, after - Math.max(0, age));
  return found ? Math.max(rest, random * periodMs(probe)) : rest;
}
