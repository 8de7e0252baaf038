import { ProtocolError } from '../errors.js';

export type Fields = Record<string, unknown>;

export const PATCH = '$patch';
export const RETAIN_KEYS = '$retainKeys';
export const SET_ORDER = '$setElementOrder/';
export const DELETE_SCALARS = '$deleteFromPrimitiveList/';

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON data; the order of fields does not count. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  if (!isFields(a) || !isFields(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameData(a[key], b[key]));
}

/** A copy without directives and without nulls in objects: what a patch says about a field that is not there yet. */
export function plainCopy(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !(isFields(item) && PATCH in item)).map((item) => plainCopy(item));
  }
  if (!isFields(value)) return value;
  const copy: Fields = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === null || isDirective(key) || isUnsafe(key)) continue;
    copy[key] = plainCopy(field);
  }
  return copy;
}

export function isDirective(key: string): boolean {
  return key === PATCH || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_SCALARS);
}

/** Assigning this key would set a prototype instead of a field; no Kubernetes object has it. */
export function isUnsafe(key: string): boolean {
  return key === '__proto__';
}

export function patchError(path: readonly string[], what: string): ProtocolError {
  return new ProtocolError('protocol.patch', `${path.length === 0 ? 'patch' : path.join('.')}: ${what}`);
}
