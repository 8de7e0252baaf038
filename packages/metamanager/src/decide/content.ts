import { errorStatus, isObjectResponse, OK, readObjectResponse, type KubeObject, type Status } from '@edge/protocol';
import { objectType } from '../values/object-types.js';

/** What the content of a message of some type turns out to be. Only `object` and `value` may ever be stored. */
export type Content =
  | { readonly form: 'object'; readonly object: KubeObject }
  /** Some other JSON value or text, stored as it is. */
  | { readonly form: 'value'; readonly value: unknown }
  | { readonly form: 'error'; readonly status: Status }
  /** `"OK"` or nothing. */
  | { readonly form: 'none' }
  /** Not what the type promises. */
  | { readonly form: 'malformed'; readonly why: string };

/** Recognises errors in all forms in which they cross the wire, so that none is taken for an object. */
export function classifyContent(type: string, content: unknown): Content {
  if (content === null || content === undefined || content === OK) return { form: 'none' };
  if (isObjectResponse(content)) {
    const { object, error } = readObjectResponse<unknown>(content);
    return error ? { form: 'error', status: error } : classifyContent(type, object);
  }
  const status = errorStatus(content);
  if (status) return { form: 'error', status };
  if (isKubeObject(content)) return { form: 'object', object: content };
  if (objectType(type)) return { form: 'malformed', why: `the content of a ${type} is ${describe(content)}, it must be an object with metadata` };
  return { form: 'value', value: content };
}

/** True for anything with `metadata`, the one thing that all objects of the API have. */
export function isKubeObject(content: unknown): content is KubeObject {
  return isRecord(content) && isRecord(content['metadata']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(content: unknown): string {
  if (Array.isArray(content)) return 'a list';
  return typeof content === 'object' ? 'an object without metadata' : `a ${typeof content}`;
}
