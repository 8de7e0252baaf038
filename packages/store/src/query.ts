import type { Column, ReadOptions, TableSpec, Where } from '@edge/core';
import type { SqlValue } from './driver/connection.js';
import { StoreError } from './errors.js';
import { quote } from './schema/ddl.js';
import { columnKind, type ColumnKind, emptyValue, encodeValue } from './values.js';

export interface Condition {
  /** ` WHERE …`, or empty. Equal for conditions of equal shape, so that statements are prepared once. */
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** Beyond this many values a list goes as one JSON parameter. */
const LISTED = 16;

/**
 * @throws StoreError `store.bad-where` for an unknown column or an undefined value, which would otherwise widen a delete
 */
export function condition<Row extends object>(spec: TableSpec<Row>, where: Where<Row> = {}): Condition {
  const terms: string[] = [];
  const parameters: SqlValue[] = [];
  for (const [name, wanted] of Object.entries<unknown>(where)) {
    if (!Object.hasOwn(spec.columns, name)) throw new StoreError('store.bad-where', `table ${spec.name} has no column ${name}`);
    if (wanted === undefined) throw new StoreError('store.bad-where', `the condition on ${spec.name}.${name} is undefined`);
    const kind = columnKind((spec.columns as Record<string, string>)[name] ?? '');
    const wantedValues: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    const values = wantedValues.map((value) => encodeValue(value as Column, kind, `${spec.name}.${name}`));
    const column = `${quote(spec.name)}.${quote(name)}`;
    const matches = values.length === 1 ? equals(column, parameters, values[0] ?? null) : isIn(column, parameters, values);
    // NULL of an older file reads as empty, so a search for empty must find it.
    const withNull = values.includes(emptyValue(kind)) && values[0] !== null;
    terms.push(withNull ? `(${matches} OR ${column} IS NULL)` : matches);
  }
  return { sql: terms.length === 0 ? '' : ` WHERE ${terms.join(' AND ')}`, parameters };
}

function equals(column: string, parameters: SqlValue[], value: SqlValue): string {
  if (value === null) return `${column} IS NULL`;
  return `${column} = ?${parameters.push(value)}`;
}

/** Short lists are padded to a power of two by repeating the last value: few shapes, few statements. */
function isIn(column: string, parameters: SqlValue[], values: readonly SqlValue[]): string {
  const last = values.at(-1);
  if (last === undefined) return '0';
  if (values.length > LISTED) return `${column} IN (SELECT value FROM json_each(?${parameters.push(JSON.stringify(values))}))`;
  const size = 2 ** Math.ceil(Math.log2(values.length));
  const places = Array.from({ length: size }, (_, index) => `?${parameters.push(values[index] ?? last)}`);
  return `${column} IN (${places.join(',')})`;
}

/** The columns to read. Numbers are read as REAL: exact up to 2^53 and never refused, whatever the file holds. */
export function selectList<Row extends object>(spec: TableSpec<Row>): string {
  return Object.entries<string>(spec.columns)
    .map(([name, type]) => `${read(`${quote(spec.name)}.${quote(name)}`, columnKind(type))} AS ${quote(name)}`)
    .join(',');
}

function read(column: string, kind: ColumnKind): string {
  if (kind === 'number') return `CAST(${column} AS REAL)`;
  return kind === 'text' ? readText(column) : `CASE typeof(${column}) WHEN 'text' THEN ${readText(column)} ELSE ${column} END`;
}

/**
 * Text is read as its bytes, which the drivers decode: libsql ends the process when text is not valid UTF-8, as it may
 * be in a damaged file, and cuts it at a NUL.
 */
export function readText(column: string): string {
  return `CAST(${column} AS BLOB)`;
}

/** ` ORDER BY … LIMIT …`; by primary key when nothing else is wanted, so that reads are repeatable. */
export function ordering<Row extends object>(spec: TableSpec<Row>, options: ReadOptions<Row> = {}): string {
  const columns = options.orderBy ?? spec.key;
  for (const name of columns) {
    if (!Object.hasOwn(spec.columns, name)) throw new StoreError('store.bad-where', `table ${spec.name} has no column ${name}`);
  }
  const terms = columns.map((name) => `${quote(spec.name)}.${quote(name)}${options.descending === true ? ' DESC' : ''}`);
  const limit = options.limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.trunc(options.limit))}`;
  return `${terms.length === 0 ? '' : ` ORDER BY ${terms.join(',')}`}${limit}`;
}

/** Insert or change the row with that key. A row that is already as wanted is not written: flash wears. */
export function upsertSql<Row extends object>(spec: TableSpec<Row>, oldNames: ReadonlyMap<string, string>): string {
  const columns = Object.keys(spec.columns);
  const targets = columns.map((name, index) => ({ name, place: `?${index + 1}` }));
  for (const target of [...targets]) {
    const oldName = oldNames.get(target.name);
    if (oldName !== undefined) targets.push({ name: oldName, place: target.place });
  }
  const changing = targets.filter(({ name }) => !(spec.key as readonly string[]).includes(name));
  const set = changing.map(({ name }) => `${quote(name)}=excluded.${quote(name)}`).join(',');
  const differs = changing.map(({ name }) => `${quote(spec.name)}.${quote(name)} IS NOT excluded.${quote(name)}`).join(' OR ');
  const conflict = `ON CONFLICT(${spec.key.map(quote).join(',')}) DO ${changing.length === 0 ? 'NOTHING' : `UPDATE SET ${set} WHERE ${differs}`}`;
  return `INSERT INTO ${quote(spec.name)} (${targets.map(({ name }) => quote(name)).join(',')}) VALUES (${targets.map(({ place }) => place).join(',')}) ${conflict}`;
}
