import { ResourceTypes } from '@edge/protocol';

/** A lease lasts 40 s and is renewed after 10: one lost answer leaves time for another try before the node counts as gone. */
const LEASE_MS = 20_000;

/** Milliseconds to wait for the cloud's answer to a question of that type. */
export function patienceMs(type: string, remoteQueryTimeout: number): number {
  const general = remoteQueryTimeout * 1000;
  return type === ResourceTypes.lease ? Math.min(LEASE_MS, general) : general;
}
