import { isFields, type Fields } from '../data.js';
import { ProtocolError } from '../errors.js';

export const PATCH = '$patch';
export const RETAIN_KEYS = '$retainKeys';
export const SET_ORDER = '$setElementOrder/';
export const DELETE_SCALARS = '$deleteFromPrimitiveList/';

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
