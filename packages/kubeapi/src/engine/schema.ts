import { isFields, sameData, type Fields } from '@edge/protocol';
import type { FieldError } from '../errors.js';
import type { StructuralSchema } from '../types/schema.js';
import { copyData } from './data.js';

/** Removes fields the schema does not know and reports their paths. Changes `object`. */
export function pruneUnknown(object: Fields, schema: StructuralSchema): string[] {
  const unknown: string[] = [];
  prune(object, withObjectFields(schema), '', unknown);
  return unknown;
}

/**
 * Fills in the schema's defaults. A null where the schema allows none counts as absent, as in an API server: Go programs
 * write empty fields so. Changes `object`.
 */
export function applyDefaults(object: Fields, schema: StructuralSchema): void {
  fill(object, schema);
}

/** What does not fit the schema: type, required, enum, limits, pattern, lengths. `metadata` is checked elsewhere. */
export function schemaErrors(object: Fields, schema: StructuralSchema): FieldError[] {
  const errors: FieldError[] = [];
  check(object, withObjectFields(schema), '', errors);
  return errors;
}

/** apiVersion, kind and metadata belong to every object whether the schema names them or not. */
function withObjectFields(schema: StructuralSchema): StructuralSchema {
  return { ...schema, properties: { ...schema.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { 'x-kubernetes-preserve-unknown-fields': true } } };
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** The schema of one field; undefined when it is unknown, {} when anything goes. */
function fieldSchema(schema: StructuralSchema, key: string): StructuralSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  if (isFields(schema.additionalProperties)) return schema.additionalProperties;
  if (schema.additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields'] === true) return { 'x-kubernetes-preserve-unknown-fields': true };
  return undefined;
}

function prune(value: unknown, schema: StructuralSchema, path: string, unknown: string[]): void {
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items !== undefined) value.forEach((item, i) => prune(item, items, `${path}[${i}]`, unknown));
    return;
  }
  if (!isFields(value)) return;
  const scope = schema['x-kubernetes-embedded-resource'] === true ? withObjectFields(schema) : schema;
  for (const key of Object.keys(value)) {
    const inner = fieldSchema(scope, key);
    if (inner === undefined) {
      unknown.push(join(path, key));
      delete value[key];
    } else {
      prune(value[key], inner, join(path, key), unknown);
    }
  }
}

function fill(value: unknown, schema: StructuralSchema): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) fill(item, schema.items);
    return;
  }
  if (!isFields(value)) return;
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    if (isForbiddenNull(value[key], inner)) delete value[key];
    if (value[key] === undefined && inner.default !== undefined) value[key] = copyData(inner.default);
    if (value[key] !== undefined) fill(value[key], inner);
  }
  if (isFields(schema.additionalProperties)) {
    const inner = schema.additionalProperties as StructuralSchema;
    for (const key of Object.keys(value)) {
      if (schema.properties?.[key] !== undefined) continue;
      if (isForbiddenNull(value[key], inner)) delete value[key];
      else fill(value[key], inner);
    }
  }
}

function isForbiddenNull(value: unknown, schema: StructuralSchema): boolean {
  return value === null && schema.nullable !== true;
}

function check(value: unknown, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (value === null && schema.nullable === true) return;
  if (!hasType(value, schema)) {
    errors.push({ reason: 'FieldValueTypeInvalid', field: path, message: `must be ${schema['x-kubernetes-int-or-string'] === true ? 'integer or string' : schema.type}, is ${typeName(value)}` });
    return;
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => sameData(allowed, value))) {
    errors.push({ reason: 'FieldValueNotSupported', field: path, message: `must be one of ${schema.enum.map((v) => JSON.stringify(v)).join(', ')}, is ${JSON.stringify(value)}` });
  }
  const limit = limitProblem(value, schema);
  if (limit !== undefined) errors.push({ reason: 'FieldValueInvalid', field: path, message: limit });
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items !== undefined) value.forEach((item, i) => check(item, items, `${path}[${i}]`, errors));
  } else if (isFields(value)) {
    for (const key of schema.required ?? []) {
      if (value[key] === undefined) errors.push({ reason: 'FieldValueRequired', field: join(path, key), message: 'is required' });
    }
    for (const [key, field] of Object.entries(value)) {
      const inner = fieldSchema(schema, key);
      if (inner !== undefined) check(field, inner, join(path, key), errors);
    }
  }
}

function hasType(value: unknown, schema: StructuralSchema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return typeof value === 'string' || Number.isInteger(value);
  switch (schema.type) {
    case 'object': return isFields(value);
    case 'array': return Array.isArray(value);
    case 'string': return typeof value === 'string';
    case 'boolean': return typeof value === 'boolean';
    case 'number': return typeof value === 'number';
    case 'integer': return Number.isInteger(value);
    default: return true;
  }
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function limitProblem(value: unknown, schema: StructuralSchema): string | undefined {
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return `must be at least ${schema.minimum}`;
    if (schema.maximum !== undefined && value > schema.maximum) return `must be at most ${schema.maximum}`;
  }
  if (typeof value === 'string') {
    const length = [...value].length;
    if (schema.minLength !== undefined && length < schema.minLength) return `must have at least ${schema.minLength} characters`;
    if (schema.maxLength !== undefined && length > schema.maxLength) return `must have at most ${schema.maxLength} characters`;
    if (schema.pattern !== undefined && patternOf(schema.pattern)?.test(value) === false) return `must match ${schema.pattern}`;
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems) return `must have at least ${schema.minItems} items`;
    if (schema.maxItems !== undefined && value.length > schema.maxItems) return `must have at most ${schema.maxItems} items`;
  }
  return undefined;
}

/** Patterns are written for another engine; one that cannot be read here is not checked. */
function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text, 'u');
  } catch {
    return undefined;
  }
}
