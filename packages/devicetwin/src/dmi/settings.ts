import type { NestedConfig } from './convert/config-values.js';

/** Settings of our own, `edge.deviceTwin.dmi`. */
export interface DmiSettings {
  /** Calls a second that one mapper may make in the long run. */
  readonly callsPerSecond: number;
  /** Calls that one mapper may make at once after a quiet time. */
  readonly burst: number;
  /** What becomes of lists and objects in `configData`. */
  readonly nestedConfig: NestedConfig;
}

export const defaultDmiSettings: DmiSettings = { callsPerSecond: 5000, burst: 10_000, nestedConfig: 'refuse' };
