import { parseFieldSelector, storageName, type KubeObject, type ResourceRef, type ResourceType } from '@edge/kubeapi';
import { applicationKey, type ApplicationRequest } from './application.js';

/** A collection that is followed: all objects of a type, of one namespace, or those that fields pick which never change. */
export interface Scope {
  readonly type: ResourceType;
  readonly ref: ResourceRef;
  /** Field → value; empty for the whole collection. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Fields that an object never leaves: what has them once, has them until it ends. */
const LASTING = ['metadata.name', 'spec.nodeName'];
/** CloudCore's listeners (v1.12 to v1.23) know a pod's namespace by this name only. */
const NAMESPACE_OF_PODS = 'metadata.namespaces';

/**
 * The collection that has to be followed for a watch. Selectors by label, and by fields that may change, are left to the
 * node: CloudCore's listeners tell nobody that an object has left a selection. Nor do they know where a pod runs, but the
 * pods of its own a node is told of in any case.
 * @param node name of this node
 * @throws ApiError BadRequest for a selector that is none
 */
export function scopeOf(type: ResourceType, ref: ResourceRef, fieldSelector: string, node: string): Scope {
  const { group, version, resource, namespace } = ref;
  const known = (field: string): boolean => LASTING.includes(field) && (field === 'metadata.name' || type.selectableFields?.[field] !== undefined);
  const lasting = parseFieldSelector(fieldSelector).filter(({ field, equal, value }) => equal && known(field) && /^[\w.-]+$/.test(value) && (field !== 'spec.nodeName' || value === node));
  const fields = new Map(lasting.map(({ field, value }) => [field, value]));
  if (ref.name !== undefined) fields.set('metadata.name', ref.name);
  return { type, ref: { group, version, resource, ...(type.namespaced && namespace !== undefined ? { namespace } : {}) }, fields };
}

/** The scope's selector in the API's grammar; empty for the whole collection. */
export function fieldText({ fields }: Scope): string {
  return [...fields].map(([name, value]) => `${name}=${value}`).sort().join(',');
}

/** What asks the cloud for the changes in a scope; only the first has to be granted for there to be an answer at all. */
export function listenersOf(scope: Scope): readonly ApplicationRequest[] {
  const { ref, type } = scope;
  const listener = (where: ResourceRef, selector: string): ApplicationRequest => ({ key: applicationKey(where), verb: 'watch', option: { ...(selector === '' ? {} : { fieldSelector: selector }), watch: true } });
  const plain = listener(ref, fieldText(scope));
  if (type.group !== '' || type.plural !== 'pods' || ref.namespace === undefined) return [plain];
  const { namespace, ...everywhere } = ref;
  return [plain, listener(everywhere, [fieldText(scope), `${NAMESPACE_OF_PODS}=${namespace}`].filter((text) => text !== '').join(','))];
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
