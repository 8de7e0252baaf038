import { apiVersionOf } from '../resource/registry.js';
import type { KubeObject } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';

const copies = new WeakMap<KubeObject, Map<string, KubeObject>>();

/**
 * A stored object as the version that was asked for shows it: only apiVersion differs, as with CRD conversion "None".
 * The same object gives the same copy, so that what is derived from it can be kept by identity.
 */
export function inVersion(object: KubeObject, type: ResourceType): KubeObject {
  const apiVersion = apiVersionOf(type);
  if (object.apiVersion === apiVersion) return object;
  let known = copies.get(object);
  if (known === undefined) copies.set(object, (known = new Map<string, KubeObject>()));
  let copy = known.get(apiVersion);
  if (copy === undefined) known.set(apiVersion, (copy = { ...object, apiVersion }));
  return copy;
}
