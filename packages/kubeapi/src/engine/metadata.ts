import { isFields } from '@edge/protocol';
import { badRequest, invalid, type FieldError } from '../errors.js';
import { labelValueProblem, qualifiedNameProblem, subdomainProblem } from '../resource/names.js';
import type { DraftObject, KubeObject } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';

const wrong = (field: string, message: string): FieldError => ({ reason: 'FieldValueInvalid', field, message });

/** Refuses metadata whose fields have the wrong JSON types, before anything reads them. Throws BadRequest. */
export function checkShape(draft: unknown): asserts draft is DraftObject {
  if (!isFields(draft)) throw badRequest('the body must be an object');
  for (const field of ['apiVersion', 'kind']) {
    if (draft[field] !== undefined && typeof draft[field] !== 'string') throw badRequest(`${field} must be text`);
  }
  const meta = draft.metadata;
  if (meta === undefined || meta === null) return;
  if (!isFields(meta)) throw badRequest('metadata must be an object');
  const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'];
  for (const field of texts) {
    if (meta[field] !== undefined && meta[field] !== null && typeof meta[field] !== 'string') throw badRequest(`metadata.${field} must be text`);
  }
  for (const field of ['labels', 'annotations']) {
    const map = meta[field];
    if (map === undefined || map === null) continue;
    if (!isFields(map) || Object.values(map).some((value) => typeof value !== 'string')) throw badRequest(`metadata.${field} must be an object whose values are text`);
  }
  const finalizers = meta.finalizers;
  if (finalizers !== undefined && finalizers !== null && !(Array.isArray(finalizers) && finalizers.every((f) => typeof f === 'string'))) {
    throw badRequest('metadata.finalizers must be a list of text');
  }
  const owners = meta.ownerReferences;
  if (owners !== undefined && owners !== null && !(Array.isArray(owners) && owners.every((o) => isFields(o) && ['apiVersion', 'kind', 'name', 'uid'].every((f) => typeof o[f] === 'string')))) {
    throw badRequest('metadata.ownerReferences must be a list of objects with apiVersion, kind, name and uid');
  }
}

/** What is wrong with names, labels, annotations, finalizers and owners. */
function metadataErrors(object: KubeObject, type: ResourceType): FieldError[] {
  const meta = object.metadata;
  const errors: FieldError[] = [];
  const nameProblem = (type.strategy?.validateName ?? subdomainProblem)(meta.name);
  if (nameProblem !== undefined) errors.push(wrong('metadata.name', nameProblem));
  for (const [key, value] of Object.entries(meta.labels ?? {})) {
    const problem = qualifiedNameProblem(key) ?? labelValueProblem(value);
    if (problem !== undefined) errors.push(wrong('metadata.labels', problem));
  }
  for (const key of Object.keys(meta.annotations ?? {})) {
    const problem = qualifiedNameProblem(key.toLowerCase());
    if (problem !== undefined) errors.push(wrong('metadata.annotations', problem));
  }
  for (const finalizer of meta.finalizers ?? []) {
    const problem = qualifiedNameProblem(finalizer);
    if (problem !== undefined) errors.push(wrong('metadata.finalizers', problem));
  }
  if ((meta.ownerReferences ?? []).filter((owner) => owner.controller === true).length > 1) {
    errors.push(wrong('metadata.ownerReferences', 'only one owner may be the controller'));
  }
  return errors;
}

/** Everything general and everything of the kind's own strategy. Throws Invalid with all of it. */
export function validateObject(object: KubeObject, current: KubeObject | undefined, type: ResourceType, more: readonly FieldError[] = []): void {
  const errors = [...metadataErrors(object, type), ...more, ...(type.strategy?.validate?.(object) ?? [])];
  if (current !== undefined) {
    errors.push(...(type.strategy?.validateUpdate?.(object, current) ?? []));
    const known = current.metadata.finalizers ?? [];
    const added = (object.metadata.finalizers ?? []).filter((finalizer) => !known.includes(finalizer));
    if (current.metadata.deletionTimestamp !== undefined && added.length > 0) {
      errors.push({ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message: `none may be added to an object that is being deleted (${added.join(', ')})` });
    }
  }
  if (errors.length > 0) throw invalid({ kind: type.kind, group: type.group, name: object.metadata.name }, errors);
}
