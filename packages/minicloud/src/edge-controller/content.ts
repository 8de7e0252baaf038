import type { DraftObject, ObjectMeta } from '@edge/kubeapi';
import { isFields, type Fields } from '@edge/protocol';
import { minicloudError, MinicloudErrors } from '../errors.js';

/** A content that is a JSON object, or a JSON document kept as text (patches come so). */
export function readObject(content: unknown): Fields {
  const value: unknown = typeof content === 'string' ? parse(content) : content;
  if (isFields(value)) return value;
  throw minicloudError(MinicloudErrors.badContent, `the content is ${describe(value)}, it must be an object`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw minicloudError(MinicloudErrors.badContent, `the content is not JSON: ${text.slice(0, 80)}`, cause);
  }
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}

/** An object of a node's making as a draft for the API: named and placed as the resource says, versioned as the node has it. */
export function readDraft(content: unknown, kind: { apiVersion: string; kind: string }, place: { name: string; namespace?: string }): Draft {
  const object = readObject(content);
  const metadata: Partial<ObjectMeta> = isFields(object['metadata']) ? object['metadata'] : {};
  return { ...object, ...kind, metadata: { ...metadata, ...place } };
}

/** A draft whose metadata is there. */
export interface Draft extends DraftObject {
  metadata: Partial<ObjectMeta>;
}
