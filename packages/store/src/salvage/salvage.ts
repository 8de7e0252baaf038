import { closeSync, openSync } from 'node:fs';
import { errorCode } from '@edge/core';
import type { Connection, Driver } from '../driver/connection.js';
import { databaseUrl } from '../driver/url.js';
import { removeWithCompanions, syncFile } from '../files.js';
import type { SalvagedTable } from '../report.js';
import { readText } from '../query.js';
import { quote } from '../schema/ddl.js';
import { removeGarbage } from './garbage.js';
import { copyRows } from './scan.js';

/** Ends the reading of a schema that has no end. */
const MOST_SCHEMA_ROWS = 1000;

interface DamagedTable {
  readonly name: string;
  readonly sql: string;
}

/**
 * Builds a fresh database at `target` with everything that can be read from the damaged one at `source`, which is only
 * read; without a source, an empty one. Tables keep their text and column order. Damage never makes it throw; a full
 * disk does.
 */
export function salvage(driver: Driver, source: string | undefined, target: string): SalvagedTable[] {
  removeWithCompanions(target);
  closeSync(openSync(target, 'wx', 0o600));
  const connection = driver.open(target);
  try {
    // The new file counts only once it is whole and renamed, so it is flushed once, at the end.
    connection.exec('PRAGMA synchronous=OFF');
    connection.prepare('PRAGMA journal_mode=MEMORY').all();
    // Makes SQLite go on with what there is when a file is shorter than it says or its schema is odd.
    connection.exec('PRAGMA writable_schema=ON');
    // Writes the first page; a file without one is what a start that was cut off would leave.
    connection.exec('PRAGMA user_version=1');
    connection.exec('PRAGMA user_version=0');
    if (source === undefined || !attach(connection, source)) return [];
    const tables = copyAll(connection);
    connection.exec('DETACH damaged');
    return tables;
  } finally {
    connection.close();
    syncFile(target);
  }
}

/** Read-only; but a rollback journal that must be played back first needs the right to write. */
function attach(connection: Connection, source: string): boolean {
  for (const mode of ['ro', 'rw'] as const) {
    try {
      connection.prepare('ATTACH ?1 AS damaged').run([databaseUrl(source, mode)]);
      connection.prepare('SELECT count(*) AS n FROM damaged.sqlite_schema').get();
      return true;
    } catch (error) {
      attempt(() => connection.exec('DETACH damaged'));
      if (errorCode(error) !== 'store.read-only' && errorCode(error) !== 'store.cannot-open') return false;
    }
  }
  return false;
}

function copyAll(connection: Connection): SalvagedTable[] {
  const salvaged: SalvagedTable[] = [];
  for (const table of readTables(connection)) {
    // Every statement commits by itself: a transaction that has met damage cannot be committed any more.
    try {
      // Prepared, because that takes one statement only, whatever a broken file says.
      connection.prepare(table.sql).run();
      const columns = columnsOf(connection, table.name);
      const kept = copyRows(connection, table.name, columns) - removeGarbage(connection, table.name, columns);
      salvaged.push({ name: table.name, kept, lost: lostRows(connection, table.name, kept) });
    } catch (error) {
      if (errorCode(error) === 'store.disk-full') throw error;
      salvaged.push({ name: table.name, kept: 0, lost: undefined });
    }
  }
  attempt(() => keepNumbers(connection));
  return salvaged;
}

/** Numbers that were given to rows which are gone must not be given again. */
function keepNumbers(connection: Connection): void {
  connection.exec(
    'UPDATE main.sqlite_sequence SET seq = max(seq, coalesce((SELECT d.seq FROM damaged.sqlite_sequence d WHERE d.name = main.sqlite_sequence.name), 0))',
  );
  connection.exec(
    'INSERT INTO main.sqlite_sequence (name, seq) SELECT d.name, d.seq FROM damaged.sqlite_sequence d ' +
      'WHERE d.name IN (SELECT name FROM main.sqlite_schema) AND d.name NOT IN (SELECT name FROM main.sqlite_sequence)',
  );
}

/** One by one, because a damaged schema page may give some of its rows. */
function readTables(connection: Connection): DamagedTable[] {
  const tables: DamagedTable[] = [];
  const next = connection.prepare(
    `SELECT CAST(rowid AS REAL) AS number, ${readText('name')} AS name, ${readText('sql')} AS sql FROM damaged.sqlite_schema WHERE rowid >= ?1 LIMIT 1`,
  );
  for (let row = 1, tries = 0; tries < MOST_SCHEMA_ROWS; tries++) {
    const found = attempt(() => next.get([row]) ?? 'end');
    if (found === 'end') break;
    row = Math.max(row, Number(found?.['number'] ?? 0)) + 1;
    const name = String(found?.['name'] ?? '');
    const sql = String(found?.['sql'] ?? '');
    if (/^CREATE TABLE /i.test(sql) && !name.startsWith('sqlite_')) tables.push({ name, sql });
  }
  return tables;
}

function columnsOf(connection: Connection, table: string): string[] {
  return connection
    .prepare(`SELECT ${readText('name')} AS name FROM pragma_table_info(?1, 'main')`)
    .all([table])
    .map((column) => String(column['name']));
}

/** The index of the key often survives the table, and knows how many rows there were. */
function lostRows(connection: Connection, table: string, kept: number): number | undefined {
  const counted = attempt(() => connection.prepare(`SELECT count(*) AS n FROM damaged.${quote(table)}`).get());
  return counted === undefined ? undefined : Math.max(0, Number(counted['n']) - kept);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
