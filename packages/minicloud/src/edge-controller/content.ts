import type { DraftObject, ObjectMeta } from '@edge/kubeapi';
import { minicloudError, MinicloudErrors } from '../errors.js';

/** A content that is a JSON object, or a JSON document kept as text (patches come so). */
export function readObject(content: unknown): Record<string, unknown> {
  const value: unknown = typeof content === 'string' ? parse(content) : content;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
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
  const metadata = typeof object['metadata'] === 'object' && object['metadata'] !== null ? (object['metadata'] as Partial<ObjectMeta>) : {};
  return { ...object, ...kind, metadata: { ...metadata, ...place } };
}

/** A draft whose metadata is there. */
export interface Draft extends DraftObject {
  metadata: Partial<ObjectMeta>;
}
