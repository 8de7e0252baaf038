import type { Probe } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { freshState, withResult, type ProbeKind } from './result.js';
import { firstProbeIn } from './timing.js';

/** The verdicts after each result, written as a text: `+` and `-`. */
function verdicts(kind: ProbeKind, probe: Probe, results: string, known = false): string {
  let state = freshState(kind, 'id', known);
  const marks = { success: '+', failure: '-', unknown: '?' };
  return [...results].map((mark) => marks[(state = state.done ? state : withResult(kind, probe, state, mark === '+' ? 'success' : 'failure')).verdict]).join('');
}

describe('results of probes', () => {
  it.each<[ProbeKind, Probe, string, string]>([
    ['readiness', {}, '+---+', '+++-+'],
    ['readiness', { failureThreshold: 1 }, '+-+-', '+-+-'],
    ['readiness', { successThreshold: 3, failureThreshold: 2 }, '++-+++--', '-----++-'],
    ['liveness', {}, '--+---+', '+++++--'],
    ['liveness', { failureThreshold: 1 }, '+-+', '+--'],
    ['startup', {}, '--+---', '??++++'],
    ['startup', { failureThreshold: 2 }, '--+', '?--'],
  ])('[edged-20.1] %s with %o: %s is read as %s', (kind, probe, results, expected) => {
    expect(verdicts(kind, probe, results)).toBe(expected);
  });

  it('[edged-20.2] before the first result a container is not ready, alive, and not started', () => {
    expect(freshState('readiness', 'id').verdict).toBe('failure');
    expect(freshState('liveness', 'id').verdict).toBe('success');
    expect(freshState('startup', 'id').verdict).toBe('unknown');
  });

  it('[edged-20.3] what was reported of a run counts until enough results say otherwise', () => {
    expect(verdicts('readiness', {}, '---', true)).toBe('++-');
    expect(freshState('startup', 'id', true)).toMatchObject({ verdict: 'success', done: true });
  });
});

describe('the first probe', () => {
  const first = (over: Partial<Parameters<typeof firstProbeIn>[0]>): number => firstProbeIn({ kind: 'readiness', probe: {}, age: 0, found: false, random: 0.5, ...over });

  it.each([
    ['readiness comes at once', {}, 0],
    ['startup comes at once', { kind: 'startup' as const }, 0],
    ['liveness leaves the container a period', { kind: 'liveness' as const, probe: { periodSeconds: 4 } }, 4000],
    ['liveness with an initial delay comes after it', { kind: 'liveness' as const, probe: { initialDelaySeconds: 2 } }, 2000],
    ['the delay counts from the start of the container', { probe: { initialDelaySeconds: 20 }, age: 15_000 }, 5000],
    ['a clock that was set back makes nobody wait longer', { probe: { initialDelaySeconds: 20 }, age: -9e9 }, 20_000],
    ['containers found running are spread over a period', { age: 60_000, found: true }, 5000],
  ])('[edged-20.4] %s', (_what, over, expected) => {
    expect(first(over)).toBe(expected);
  });
});
