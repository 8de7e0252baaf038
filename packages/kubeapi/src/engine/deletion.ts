import { timestamp } from '@edge/protocol';
import { conflict } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { DeleteOptions } from '../types/requests.js';
import type { ResourceType } from '../types/resource.js';

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';

/** What a delete request does to an object. */
export type DeletionPlan =
  | { step: 'remove' }
  | { step: 'mark'; object: KubeObject }
  | { step: 'nothing' };

/** Throws Conflict when the object is not the one the caller means. */
export function checkPreconditions(type: ResourceType, object: KubeObject, options: DeleteOptions): void {
  const subject = { resource: type.plural, group: type.group, name: object.metadata.name };
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== object.metadata.uid) throw conflict(subject, `uid ${uid} was asked for, this one has ${object.metadata.uid}`);
  if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
    throw conflict(subject, `version ${resourceVersion} was asked for, the newest is ${object.metadata.resourceVersion}`);
  }
}

/**
 * Decides. Grace gives the object time (a second deletion can only shorten it), finalizers keep it until they are gone.
 * `collected` says whether someone acts on the finalizers of cascading deletion.
 */
export function planDeletion(type: ResourceType, object: KubeObject, options: DeleteOptions, now: Date, collected: boolean): DeletionPlan {
  const grace = Math.max(0, Math.trunc(type.strategy?.gracePeriodSeconds?.(object, options) ?? 0));
  const finalizers = collected ? withPolicy(object.metadata.finalizers ?? [], options) : object.metadata.finalizers ?? [];
  const started = object.metadata.deletionTimestamp;
  const held = collected && (type.strategy?.isHeld?.(object) ?? false);
  if (grace === 0 && finalizers.length === 0 && !held) return { step: 'remove' };

  const before = object.metadata.deletionGracePeriodSeconds ?? 0;
  const sameFinalizers = finalizers.length === (object.metadata.finalizers ?? []).length && finalizers.every((f) => object.metadata.finalizers?.includes(f));
  const shorter = started === undefined || grace < before;
  if (!shorter && sameFinalizers) return { step: 'nothing' };

  const end = started === undefined ? now.getTime() + grace * 1000 : Date.parse(started) - Math.max(0, before - grace) * 1000;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: timestamp(end),
    deletionGracePeriodSeconds: started === undefined ? grace : Math.min(grace, before),
    ...(finalizers.length > 0 ? { finalizers } : {}),
  };
  if (started === undefined && metadata.generation !== undefined) metadata.generation += 1;
  return { step: 'mark', object: { ...object, metadata } };
}

/** Whether an update has taken away the last thing that kept a deleted object. */
export function isReleased(type: ResourceType, object: KubeObject, collected: boolean): boolean {
  const meta = object.metadata;
  if (collected && type.strategy?.isHeld?.(object) === true) return false;
  return meta.deletionTimestamp !== undefined && (meta.finalizers ?? []).length === 0 && (meta.deletionGracePeriodSeconds ?? 0) === 0;
}

function withPolicy(finalizers: readonly string[], options: DeleteOptions): string[] {
  const policy = options.propagationPolicy ?? (options.orphanDependents === true ? 'Orphan' : undefined);
  if (policy === undefined) return [...finalizers];
  const others = finalizers.filter((f) => f !== FOREGROUND_FINALIZER && f !== ORPHAN_FINALIZER);
  if (policy === 'Foreground') return [...others, FOREGROUND_FINALIZER];
  if (policy === 'Orphan') return [...others, ORPHAN_FINALIZER];
  return others;
}
