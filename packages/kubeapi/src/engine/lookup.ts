import { ApiError, tooLargeResourceVersion } from '../errors.js';
import type { ResourceRegistry } from '../resource/registry.js';
import type { GroupVersionResource, ResourceRef, ResourceType, Verb } from '../types/resource.js';
import type { ObjectStore } from '../types/store.js';
import { parseVersion } from './list.js';

/** The type a ref names. Throws NotFound without details, as for a path that is not served. */
export function requireType(registry: ResourceRegistry, gvr: GroupVersionResource): ResourceType {
  const type = registry.find(gvr);
  if (type === undefined) throw new ApiError('NotFound', `the server has no resource ${gvr.resource} in ${gvr.group === '' ? gvr.version : `${gvr.group}/${gvr.version}`}`);
  return type;
}

/** Refuses a verb that neither the type nor its subresource serves. */
export function requireVerb(type: ResourceType, ref: ResourceRef, verb: Verb): void {
  const allowed = ref.subresource === undefined ? type.verbs : type.subresources?.find((sub) => sub.name === ref.subresource)?.verbs;
  if (allowed === undefined) throw new ApiError('NotFound', `the server has no subresource ${type.plural}/${ref.subresource ?? ''}`);
  if (!allowed.includes(verb)) {
    const name = ref.subresource === undefined ? type.plural : `${type.plural}/${ref.subresource}`;
    throw new ApiError('MethodNotAllowed', `${verb} is not served for ${name}`, { kind: type.plural, ...(type.group === '' ? {} : { group: type.group }) });
  }
}

/** A read that must not be older than a version fails when that version has not been written. */
export function checkVersionReached(store: ObjectStore, resourceVersion: string | undefined): void {
  if (resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0') return;
  const version = parseVersion(resourceVersion);
  if (version > store.resourceVersion) throw tooLargeResourceVersion(version, store.resourceVersion);
}
