import type { Column } from '@edge/core';
import type { SqlValue } from './driver/connection.js';
import { StoreError } from './errors.js';

/** What a column holds, after SQLite's affinity rules for its declared type. `any` keeps NULL; the others have an empty value. */
export type ColumnKind = 'text' | 'number' | 'any';

export function columnKind(declaredType: string): ColumnKind {
  const type = declaredType.toLowerCase();
  if (type.includes('int')) return 'number';
  if (/char|clob|text/.test(type)) return 'text';
  return type === '' || type === 'any' || type.includes('blob') ? 'any' : 'number';
}

/** What NULL and a missing value mean in a column of that kind. */
export function emptyValue(kind: ColumnKind): SqlValue {
  return kind === 'text' ? '' : kind === 'number' ? 0 : null;
}

/**
 * A value as it is bound. NULL is never written to text and number columns: Go reads it, but older readers do not.
 * @throws StoreError `store.bad-value` for what SQLite cannot hold
 */
export function encodeValue(value: Column | undefined, kind: ColumnKind, where: string): SqlValue {
  if (value === null || value === undefined) return emptyValue(kind);
  if (typeof value === 'string') {
    if (kind === 'number') throw bad(where, 'a number', value);
    return value;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return kind === 'text' ? String(value) : value;
  if (typeof value === 'boolean' && kind === 'number') return value ? 1 : 0;
  throw bad(where, kind === 'text' ? 'text' : 'a number', value);
}

/** A value as the owner of the table sees it. */
export function decodeValue(value: SqlValue | undefined, kind: ColumnKind): SqlValue {
  if (value === null || value === undefined) return emptyValue(kind);
  return kind === 'text' && typeof value === 'number' ? String(value) : value;
}

function bad(where: string, expected: string, value: unknown): StoreError {
  return new StoreError('store.bad-value', `${where} must be ${expected}, not ${typeof value} ${String(value).slice(0, 80)}`);
}
