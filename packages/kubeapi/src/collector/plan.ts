import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../engine/deletion.js';
import type { KubeObject, OwnerReference } from '../types/object.js';

/** What is to be done about one object. */
export type CollectionStep =
  | { step: 'nothing' }
  /** All its owners are gone. */
  | { step: 'delete'; policy: 'Background' | 'Foreground' }
  /** Some of its owners are gone, or let go of it. */
  | { step: 'forget owners'; uids: string[] }
  /** It is being deleted and its dependents go first. */
  | { step: 'delete dependents'; waitFor: KubeObject[]; others: KubeObject[] }
  /** It is being deleted and its dependents stay. */
  | { step: 'orphan dependents'; dependents: KubeObject[] }
  /** What its deletion waited for is done. */
  | { step: 'drop finalizer'; finalizer: string };

export interface Surroundings {
  /** The owner as it is stored, 'gone', or 'unknown' for a kind that is not served here. */
  ownerOf(reference: OwnerReference): KubeObject | 'gone' | 'unknown';
  dependents: readonly KubeObject[];
}

/** Decides; the order matters: an object on its way out is looked at as an owner first. */
export function planCollection(object: KubeObject, around: Surroundings): CollectionStep {
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(ORPHAN_FINALIZER) === true) {
    return around.dependents.length > 0 ? { step: 'orphan dependents', dependents: [...around.dependents] } : { step: 'drop finalizer', finalizer: ORPHAN_FINALIZER };
  }
  if (metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true) {
    const blocks = (dependent: KubeObject): boolean => dependent.metadata.ownerReferences?.some((owner) => owner.uid === metadata.uid && owner.blockOwnerDeletion === true) === true;
    const waitFor = around.dependents.filter(blocks);
    if (waitFor.length === 0) return { step: 'drop finalizer', finalizer: FOREGROUND_FINALIZER };
    const fresh = (dependent: KubeObject): boolean => dependent.metadata.deletionTimestamp === undefined;
    return { step: 'delete dependents', waitFor: waitFor.filter(fresh), others: around.dependents.filter((d) => !blocks(d) && fresh(d)) };
  }
  const owners = metadata.ownerReferences ?? [];
  if (owners.length === 0 || metadata.deletionTimestamp !== undefined) return { step: 'nothing' };
  const states = owners.map((reference) => ({ reference, owner: around.ownerOf(reference) }));
  const gone = states.filter(({ owner }) => owner === 'gone');
  if (gone.length === 0) return { step: 'nothing' };
  if (gone.length === owners.length) return { step: 'delete', policy: 'Background' };
  return { step: 'forget owners', uids: gone.map(({ reference }) => reference.uid) };
}
