import { parseFieldSelector, storageName, type KubeObject, type ResourceRef, type ResourceType } from '@edge/kubeapi';

/** A collection that is followed: all objects of a type, of one namespace, or those that fields pick which never change. */
export interface Scope {
  readonly type: ResourceType;
  readonly ref: ResourceRef;
  /** Field → value; empty for the whole collection. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Fields that an object never leaves: what has them once, has them until it ends. */
const LASTING = ['metadata.name', 'spec.nodeName'];

/**
 * The collection that has to be followed for a watch. Selectors by label, and by fields that may change, are left to the
 * node: CloudCore's listeners tell nobody that an object has left a selection.
 * @throws ApiError BadRequest for a selector that is none
 */
export function scopeOf(type: ResourceType, ref: ResourceRef, fieldSelector = ''): Scope {
  const { group, version, resource, namespace } = ref;
  const known = (field: string): boolean => LASTING.includes(field) && (field === 'metadata.name' || type.selectableFields?.[field] !== undefined);
  const lasting = parseFieldSelector(fieldSelector).filter(({ field, equal, value }) => equal && known(field) && /^[\w.-]+$/.test(value));
  const fields = new Map(lasting.map(({ field, value }) => [field, value]));
  if (ref.name !== undefined) fields.set('metadata.name', ref.name);
  return { type, ref: { group, version, resource, ...(type.namespaced && namespace !== undefined ? { namespace } : {}) }, fields };
}

/** The scope's selector in the API's grammar; empty for the whole collection. */
export function fieldText({ fields }: Scope): string {
  return [...fields].map(([name, value]) => `${name}=${value}`).sort().join(',');
}

export function scopeId(scope: Scope): string {
  return `${storageName(scope.type)}|${scope.ref.namespace ?? ''}|${fieldText(scope)}`;
}

export function isInScope({ type, fields }: Scope, object: KubeObject): boolean {
  return [...fields].every(([field, value]) => (field === 'metadata.name' ? object.metadata.name : type.selectableFields?.[field]?.(object)) === value);
}

/** True when following `scope` brings every change of what `ref` names. */
export function covers(scope: Scope, type: ResourceType, ref: ResourceRef): boolean {
  if (storageName(scope.type) !== storageName(type)) return false;
  if (type.namespaced && scope.ref.namespace !== undefined && scope.ref.namespace !== ref.namespace) return false;
  return scope.fields.size === 0 || (ref.name !== undefined && fieldText(scope) === `metadata.name=${ref.name}`);
}
