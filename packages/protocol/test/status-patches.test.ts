import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createStrategicPatch, strategicMerge } from '../src/index.js';

/** Recorded between the Go agent and a real cloud: an object before, and the patch the agent sent for it. */
interface Recorded {
  resource: string;
  before: object;
  patch: { metadata?: { uid: string }; status: object };
}

const recorded = JSON.parse(readFileSync(new URL('fixtures/status-patches.json', import.meta.url), 'utf8')) as Recorded[];

describe('recorded status patches', () => {
  it.each(recorded.map((entry, i) => [`${i}: ${entry.resource}`, entry] as const))('[protocol-sm.9] %s is reproduced from the states before and after', (_title, { before, patch }) => {
    const after = strategicMerge(before, patch);
    expect(createStrategicPatch(before, after)).toEqual({ status: patch.status });
  });
});
