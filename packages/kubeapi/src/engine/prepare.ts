import { isFields, sameData, timestamp, type Fields } from '@edge/protocol';
import { checkFieldTypes } from '../builtin/field-types.js';
import { badRequest, conflict, invalid } from '../errors.js';
import { apiVersionOf } from '../resource/registry.js';
import type { KubeObject, ObjectMeta } from '../types/object.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { WriteOptions } from '../types/requests.js';
import { copyData, dropNulls } from './data.js';
import { checkShape } from './metadata.js';
import { applyDefaults, pruneUnknown } from './schema.js';

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

export interface Source {
  now(): Date;
  newUid(): string;
  random(): number;
}

const hasStatus = (type: ResourceType): boolean => (type.subresources ?? []).some((sub) => sub.name === 'status');

const keepsGeneration = (type: ResourceType, object: KubeObject): boolean =>
  type.strategy?.generation ?? (type.custom === true || object.spec !== undefined);

/** Checks that a body is of the type that the path names and makes it a private copy. */
export function adopt(type: ResourceType, ref: ResourceRef, draft: unknown): KubeObject {
  checkShape(draft);
  const copy = copyData(draft) as Fields & { metadata?: Partial<ObjectMeta> };
  // Typed objects know no null; custom resources may use it.
  if (type.custom !== true) dropNulls(copy);
  const apiVersion = apiVersionOf(type);
  if (copy.apiVersion !== undefined && copy.apiVersion !== '' && copy.apiVersion !== apiVersion) {
    throw badRequest(`apiVersion of the body is ${JSON.stringify(copy.apiVersion)}, the path serves ${apiVersion}`);
  }
  if (copy.kind !== undefined && copy.kind !== '' && copy.kind !== type.kind) {
    throw badRequest(`kind of the body is ${JSON.stringify(copy.kind)}, the path serves ${type.kind}`);
  }
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = copy;
  const meta: Fields = { ...metadata };
  for (const field of Object.keys(meta)) if (meta[field] === null) delete meta[field];
  delete meta.selfLink;
  if (!type.namespaced) {
    if (typeof meta.namespace === 'string' && meta.namespace !== '') throw badRequest(`${type.kind} has no namespace, the body names ${meta.namespace}`);
    delete meta.namespace;
  } else {
    const inBody = meta.namespace;
    if (ref.namespace !== undefined && typeof inBody === 'string' && inBody !== '' && inBody !== ref.namespace) {
      throw badRequest(`namespace of the body is ${JSON.stringify(inBody)}, the path names ${ref.namespace}`);
    }
    const namespace = ref.namespace ?? inBody;
    if (typeof namespace !== 'string' || namespace === '') throw badRequest(`${type.kind} needs a namespace`);
    meta.namespace = namespace;
  }
  return { apiVersion, kind: type.kind, metadata: meta as unknown as ObjectMeta, ...rest };
}

/** Brings schema and strategy to bear on an object about to be written; returns warnings. Throws BadRequest on strict refusal. */
export function complete(type: ResourceType, object: KubeObject, options: WriteOptions): string[] {
  const warnings: string[] = [];
  const unknown = type.schema === undefined ? [] : pruneUnknown(object, type.schema);
  if (type.custom !== true && type.schema === undefined) {
    const findings = checkFieldTypes(type.kind, object);
    if (findings.wrong.length > 0) throw badRequest(`${type.kind} cannot be read: ${findings.wrong.join('; ')}`);
    unknown.push(...findings.unknown);
  }
  if (unknown.length > 0 && options.fieldValidation === 'Strict') {
    // kubectl looks for these first words to tell a strict refusal from others.
    throw badRequest(`strict decoding error: ${unknown.map((field) => `unknown field "${field}"`).join(', ')}`);
  }
  if (unknown.length > 0 && options.fieldValidation !== 'Ignore') warnings.push(...unknown.map((field) => `unknown field "${field}"`));
  if (type.schema !== undefined) applyDefaults(object, type.schema);
  type.strategy?.setDefaults?.(object);
  return warnings;
}

/** The object as a create would store it, before hooks and validation. */
export function prepareCreate(type: ResourceType, ref: ResourceRef, draft: unknown, source: Source): KubeObject {
  const object = adopt(type, ref, draft);
  const given = object.metadata;
  if ((given.resourceVersion ?? '') !== '' ) throw badRequest('metadata.resourceVersion must not be set on an object that is to be created');
  const prefix = given.generateName ?? '';
  let name = given.name ?? '';
  if (name === '') name = ref.name ?? '';
  if (name === '' && prefix !== '') name = prefix.slice(0, 248) + suffix(source);
  if (ref.name !== undefined && name !== ref.name) throw badRequest(`name of the body is ${JSON.stringify(name)}, the path names ${ref.name}`);
  if (name === '') {
    throw invalid({ kind: type.kind, group: type.group, name: '' }, [{ reason: 'FieldValueRequired', field: 'metadata.name', message: 'name or generateName is required' }]);
  }
  const { deletionTimestamp: _at, deletionGracePeriodSeconds: _grace, generation: _generation, managedFields: _fields, ...kept } = given;
  object.metadata = { ...kept, name, uid: source.newUid(), resourceVersion: '', creationTimestamp: timestamp(source.now().getTime()) };
  if (keepsGeneration(type, object)) object.metadata.generation = 1;
  if (hasStatus(type) && type.strategy?.statusOnCreate !== true) delete object.status;
  type.strategy?.prepareForCreate?.(object);
  return object;
}

function suffix(source: Source): string {
  return Array.from({ length: 5 }, () => SUFFIX_LETTERS[Math.floor(source.random() * SUFFIX_LETTERS.length)]).join('');
}

/** The object as an update would store it, before hooks and validation. Throws Conflict for a wrong uid or version. */
export function prepareUpdate(type: ResourceType, ref: ResourceRef, current: KubeObject, draft: unknown): KubeObject {
  const subject = { resource: type.plural, group: type.group, name: current.metadata.name };
  const next = adopt(type, ref, draft);
  const given = next.metadata;
  if ((given.name ?? '') !== '' && given.name !== current.metadata.name) throw badRequest(`name of the body is ${JSON.stringify(given.name)}, the path names ${current.metadata.name}`);
  if ((given.uid ?? '') !== '' && given.uid !== current.metadata.uid) {
    throw conflict(subject, `the object with uid ${given.uid} is gone, this one has uid ${current.metadata.uid}`);
  }
  if ((given.resourceVersion ?? '') !== '' && given.resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(subject, `version ${given.resourceVersion} is not the newest (${current.metadata.resourceVersion}); read it again and repeat the change`);
  }
  next.metadata = { ...fixedMetadata(current), ...changeableMetadata(next.metadata) };
  const subresource = ref.subresource ?? '';
  const merged = subresource === 'status' ? withStatusOf(type, current, next) : next;
  if (subresource === '' && hasStatus(type)) {
    if (current.status === undefined) delete merged.status;
    else merged.status = current.status;
  }
  type.strategy?.prepareForUpdate?.(merged, current, subresource);
  return merged;
}

/** Sets `generation`; call when nothing changes the object any more. */
export function bumpGeneration(type: ResourceType, next: KubeObject, current: KubeObject): void {
  if (!keepsGeneration(type, next)) return;
  const before = current.metadata.generation ?? 1;
  const { metadata: _a, status: _b, apiVersion: _c, ...desired } = next;
  const { metadata: _d, status: _e, apiVersion: _f, ...was } = current;
  next.metadata.generation = sameData(desired, was) ? before : before + 1;
}

function withStatusOf(type: ResourceType, current: KubeObject, next: KubeObject): KubeObject {
  const keeps = type.strategy?.statusKeepsMetadata ?? type.custom === true;
  const merged: KubeObject = { ...copyData(current), metadata: keeps ? copyData(current.metadata) : next.metadata };
  // Owners decide about life and death; a status writer must not change them.
  if (current.metadata.ownerReferences === undefined) delete merged.metadata.ownerReferences;
  else merged.metadata.ownerReferences = copyData(current.metadata.ownerReferences);
  if (next.status === undefined) delete merged.status;
  else merged.status = next.status;
  return merged;
}

function fixedMetadata(current: KubeObject): ObjectMeta {
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...fixed } = current.metadata;
  return copyData(fixed);
}

function changeableMetadata(meta: Partial<ObjectMeta>): Partial<ObjectMeta> {
  const kept: Partial<ObjectMeta> = {};
  if (isFields(meta.labels)) kept.labels = meta.labels;
  if (isFields(meta.annotations)) kept.annotations = meta.annotations;
  if (meta.finalizers !== undefined && meta.finalizers.length > 0) kept.finalizers = meta.finalizers;
  if (meta.ownerReferences !== undefined && meta.ownerReferences.length > 0) kept.ownerReferences = meta.ownerReferences;
  return kept;
}

/** Whether two states of an object differ in anything but the bookkeeping of the server. */
export function isUnchanged(next: KubeObject, current: KubeObject): boolean {
  const { metadata: a, apiVersion: _a, ...restA } = next;
  const { metadata: b, apiVersion: _b, ...restB } = current;
  return sameData({ ...a, resourceVersion: '', managedFields: undefined }, { ...b, resourceVersion: '', managedFields: undefined }) && sameData(restA, restB);
}

