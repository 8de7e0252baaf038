import { compareVersions } from './resource-version.js';
import type { Identity } from './upsert.js';

/** `unknown`: no such object here; `outdated`: it was made of a state that is not the newest, or of another object of that name. */
export type EditDecision = 'edited' | 'unknown' | 'outdated';

/** Whether the node's own change of an object is stored. It carries the version of the state that it was made of. */
export function decideEdit(edit: Identity, stored: Identity | undefined): EditDecision {
  if (!stored) return 'unknown';
  if (edit.uid !== stored.uid) return 'outdated';
  return compareVersions(edit.resourceVersion, stored.resourceVersion) === 'older' ? 'outdated' : 'edited';
}
