import type { TableSpec } from '@edge/core';
import { StoreError } from '../errors.js';
import { columnKind } from '../values.js';
import { addColumnSql, createTableSql, quote } from './ddl.js';

/** One column as PRAGMA table_info tells it. */
export interface ExistingColumn {
  readonly name: string;
  /** Position in the primary key from 1; 0 when it is no part of it. */
  readonly pk: number;
}

export interface TablePlan {
  /** Statements that bring the file's table to the description; empty when it fits. */
  readonly statements: readonly string[];
  /** Column → its old name in this file. Both are written, so that the older agent finds its values too. */
  readonly oldNames: ReadonlyMap<string, string>;
}

/**
 * Decides what must be done to use a table of the file. Columns that the description does not know are left alone.
 * @throws StoreError `store.schema` when the primary key is another one
 */
export function planTable<Row extends object>(spec: TableSpec<Row>, existing: readonly ExistingColumn[]): TablePlan {
  if (existing.length === 0) return { statements: [createTableSql(spec)], oldNames: new Map() };
  checkKey(spec, existing);
  const present = new Map(existing.map((column) => [column.name.toLowerCase(), column.name]));
  const oldNames = new Map<string, string>();
  const statements: string[] = [];
  for (const [name, type] of Object.entries<string>(spec.columns)) {
    if (!present.has(name.toLowerCase())) statements.push(addColumnSql(spec.name, name, type));
    const oldName = present.get(withoutUnderscores(name));
    if (oldName === undefined || oldName.toLowerCase() === name.toLowerCase()) continue;
    oldNames.set(name, oldName);
    statements.push(fillSql(spec.name, name, oldName, type));
  }
  return { statements, oldNames };
}

/** v1.22 and older named columns without underscores: `resourceversion` became `resource_version`. */
function withoutUnderscores(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

/** Runs at each start, because an older agent may have written rows in between. */
function fillSql(table: string, name: string, oldName: string, type: string): string {
  const empty = columnKind(type) === 'number' ? '0' : "''";
  return (
    `UPDATE ${quote(table)} SET ${quote(name)} = ${quote(oldName)} ` +
    `WHERE coalesce(${quote(name)}, ${empty}) = ${empty} AND coalesce(${quote(oldName)}, ${empty}) <> ${empty}`
  );
}

function checkKey<Row extends object>(spec: TableSpec<Row>, existing: readonly ExistingColumn[]): void {
  const found = existing.filter((column) => column.pk > 0).sort((a, b) => a.pk - b.pk);
  const same = found.length === spec.key.length && found.every((column, index) => column.name.toLowerCase() === spec.key[index]?.toLowerCase());
  if (same) return;
  const names = found.map((column) => column.name).join(', ') || 'nothing';
  throw new StoreError('store.schema', `table ${spec.name} in the file has the primary key ${names}, it must be ${spec.key.join(', ')}`);
}
