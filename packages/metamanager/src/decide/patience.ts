import { ResourceTypes } from '@edge/protocol';

/** A lease lasts 40 s: an answer that was lost on the way must not cost the node its Ready condition. */
const LEASE_MS = 10_000;

/** Milliseconds to wait for the cloud's answer to a question of that type. */
export function patienceMs(type: string, remoteQueryTimeout: number): number {
  const general = remoteQueryTimeout * 1000;
  return type === ResourceTypes.lease ? Math.min(LEASE_MS, general) : general;
}
