import type { Identity } from './upsert.js';

/** `kept`: the row belongs to another object of the same name. */
export type RemovalDecision = 'removed' | 'absent' | 'kept';

/**
 * What a delete does to the stored row. The uid decides, not the version: what is deleted never comes back under its uid.
 * A delete without uid means whatever has the name.
 */
export function decideRemoval(uid: string | undefined, stored: Identity | undefined): RemovalDecision {
  if (!stored) return 'absent';
  return uid && stored.uid && uid !== stored.uid ? 'kept' : 'removed';
}

/** A "not found" may remove only the very state that was stored when we asked; a push may have come in between. */
export function decideNotFound(before: Identity | undefined, stored: Identity | undefined): RemovalDecision {
  if (!stored) return 'absent';
  return before && before.uid === stored.uid && before.resourceVersion === stored.resourceVersion ? 'removed' : 'kept';
}
