import { compareVersions } from './resource-version.js';

/** What tells one object, and one state of it, from another. */
export interface Identity {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly creationTimestamp?: string | null | undefined;
}

/**
 * Where a state of an object comes from. `push`: sent by the cloud on its own, may be late. `answer`: read or written
 * in the cloud because we asked. `patch-answer`: what came back for a status patch, tells nothing about other objects.
 */
export type Origin = 'push' | 'answer' | 'patch-answer';

/** `same` is the stored state once more; `older` and `foreign` must not touch the row. */
export type UpsertDecision = 'created' | 'replaced' | 'same' | 'older' | 'foreign';

/** What to do with an incoming state of an object, given what is stored under its name. */
export function decideUpsert(incoming: Identity, stored: Identity | undefined, origin: Origin): UpsertDecision {
  if (!stored) return 'created';
  if (incoming.uid && stored.uid && incoming.uid !== stored.uid) return decideForeign(incoming, stored, origin);
  const order = compareVersions(incoming.resourceVersion, stored.resourceVersion);
  return order === 'newer' ? 'replaced' : order;
}

/** Another object of the same name: the new one after a delete, or a straggler of the one before. */
function decideForeign(incoming: Identity, stored: Identity, origin: Origin): UpsertDecision {
  if (origin === 'patch-answer') return 'foreign';
  if (origin === 'answer') return 'replaced';
  // A lower version alone proves nothing: in another cluster the numbers start anew, but objects are younger there.
  const lower = compareVersions(incoming.resourceVersion, stored.resourceVersion) === 'older';
  const younger = time(incoming.creationTimestamp) > time(stored.creationTimestamp);
  return lower && !younger ? 'older' : 'replaced';
}

function time(stamp: string | null | undefined): number {
  const parsed = Date.parse(stamp ?? '');
  return Number.isNaN(parsed) ? 0 : parsed;
}
