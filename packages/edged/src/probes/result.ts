import type { Probe } from '@edge/protocol';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** What is believed of one container by one of its probes, and how it came to that. */
export interface ProbeState {
  /** The run of the container that it is about. A new run begins anew. */
  readonly containerId: string;
  readonly verdict: 'unknown' | 'success' | 'failure';
  /** The result seen last, and how often in a row. */
  readonly last: 'success' | 'failure' | undefined;
  readonly inRow: number;
  /** Nothing more is asked of this run: it has started, or it has to be ended. */
  readonly done: boolean;
}

/** Readiness has to be earned, liveness is assumed, of the start nothing is known. */
const INITIAL = { readiness: 'failure', liveness: 'success', startup: 'unknown' } as const;

/** @param known the last report said so of this very run: it counts until a result says otherwise */
export function freshState(kind: ProbeKind, containerId: string, known = false): ProbeState {
  return { containerId, verdict: known ? 'success' : INITIAL[kind], last: undefined, inRow: 0, done: known && kind === 'startup' };
}

/** The state after one more result. The verdict follows when as many in a row say the same as the probe asks for. Pure. */
export function withResult(kind: ProbeKind, probe: Probe, state: ProbeState, result: 'success' | 'failure'): ProbeState {
  const inRow = state.last === result ? state.inRow + 1 : 1;
  const enough = result === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  if (inRow < enough) return { ...state, last: result, inRow };
  const done = kind === 'startup' || (kind === 'liveness' && result === 'failure');
  return { ...state, verdict: result, last: result, inRow, done };
}
