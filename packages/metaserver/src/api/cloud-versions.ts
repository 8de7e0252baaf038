import { conflict, storageName, type ObjectKey, type ResourceRef, type ResourceType } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';
import type { ObjectCopy } from '../copy/object-copy.js';

/** The object that a request is about, as the copy names it. */
export function keyOfRef(type: ResourceType, ref: ResourceRef, name = ref.name): ObjectKey {
  return { resource: storageName(type), namespace: type.namespaced ? ref.namespace ?? '' : '', name: name ?? '' };
}

/**
 * The cloud's version for one of ours. Undefined for none.
 * @throws ApiError Conflict when ours is not the newest: the cloud would refuse it as well
 */
export function cloudVersionOf(copy: ObjectCopy, type: ResourceType, key: ObjectKey, version: unknown): string | undefined {
  if (version === undefined || version === null || version === '') return undefined;
  const there = copy.store.get(key);
  const origin = copy.origin(key);
  if (there !== undefined && there.metadata.resourceVersion === version && origin !== undefined) return origin.cloudVersion;
  const newest = there === undefined ? 'it is not here' : `the newest is ${there.metadata.resourceVersion}`;
  throw conflict({ resource: type.plural, group: type.group, name: key.name }, `version ${JSON.stringify(version)} is not the newest that this node knows (${newest}); read it again and repeat the change`);
}

/** The body with the cloud's version in place of ours; the very same one when it names none. */
export function withCloudVersion(copy: ObjectCopy, type: ResourceType, key: ObjectKey, body: unknown): unknown {
  if (!isFields(body) || !isFields(body.metadata) || body.metadata.resourceVersion === undefined) return body;
  const { resourceVersion, ...metadata } = body.metadata;
  const version = cloudVersionOf(copy, type, key, resourceVersion);
  return { ...body, metadata: version === undefined ? metadata : { ...metadata, resourceVersion: version } };
}

/** As `withCloudVersion`, for the steps of a JSON patch that test or set the version. */
export function stepsWithCloudVersion(copy: ObjectCopy, type: ResourceType, key: ObjectKey, steps: unknown): unknown {
  if (!Array.isArray(steps)) return steps;
  return steps.map((step: unknown) => {
    if (!isFields(step) || step.path !== '/metadata/resourceVersion' || step.value === undefined) return step;
    return { ...step, value: cloudVersionOf(copy, type, key, step.value) ?? step.value };
  });
}
