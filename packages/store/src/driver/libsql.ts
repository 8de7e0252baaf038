import { createRequire } from 'node:module';
import { sqliteError, StoreError } from '../errors.js';
import type { Connection, Driver, SqlRow, SqlValue, Statement } from './connection.js';
import { databaseUrl } from './url.js';

type NativeValue = SqlValue | Buffer;
interface NativeStatement {
  get(parameters: readonly NativeValue[]): Record<string, unknown> | undefined;
  all(parameters: readonly NativeValue[]): Record<string, unknown>[];
  run(parameters: readonly NativeValue[]): { changes: number; lastInsertRowid: number };
}
interface NativeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NativeStatement;
  close(): void;
  readonly inTransaction: boolean;
}
type NativeModule = new (path: string) => NativeDatabase;

/** The prebuilt library for Node.js without a SQLite of its own; undefined where it is not installed. */
export function loadLibsql(): Driver | undefined {
  let native: NativeModule;
  try {
    // Through require, and only when needed: a bundle leaves the native library outside.
    native = createRequire(import.meta.url)('libsql') as NativeModule;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  return { name: 'libsql', open: (path) => new LibsqlConnection(native, path) };
}

class LibsqlConnection implements Connection {
  readonly #path: string;
  readonly #database: NativeDatabase;
  #open = true;

  constructor(native: NativeModule, path: string | undefined) {
    this.#path = path ?? 'database in memory';
    this.#database = attempt(this.#path, () => new native(databaseUrl(path)));
  }

  exec(sql: string): void {
    this.#alive();
    attempt(this.#path, () => this.#database.exec(sql));
  }

  prepare(sql: string): Statement {
    this.#alive();
    const path = this.#path;
    const statement = attempt(path, () => this.#database.prepare(sql));
    // Its statements would go on working after close, on a connection that nobody holds any more.
    const call = <T>(work: () => T): T => {
      this.#alive();
      return attempt(path, work);
    };
    return {
      get: (parameters = []) => call(() => decodeRow(statement.get(encode(parameters)))),
      all: (parameters = []) => call(() => statement.all(encode(parameters)).map((row) => decodeRow(row) as SqlRow)),
      run: (parameters = []) =>
        call(() => {
          const result = statement.run(encode(parameters));
          return { changes: result.changes, lastId: result.lastInsertRowid };
        }),
    };
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    attempt(this.#path, () => this.#database.close());
  }

  #alive(): void {
    if (!this.#open) throw new StoreError('store.closed', `${this.#path}: the database is closed`);
  }
}

/** The library cuts text at its first NUL; as a blob it stays whole. */
function encode(parameters: readonly SqlValue[]): readonly NativeValue[] {
  return parameters.some(hasNul) ? parameters.map((value) => (hasNul(value) ? Buffer.from(value as string) : value)) : parameters;
}

function hasNul(value: SqlValue): boolean {
  return typeof value === 'string' && value.includes('\0');
}

function decodeRow(row: Record<string, unknown> | undefined): SqlRow | undefined {
  if (row === undefined) return undefined;
  // One row alone brings a Buffer, a list of rows brings an ArrayBuffer.
  for (const name in row) {
    const value = row[name];
    if (value instanceof ArrayBuffer || value instanceof Uint8Array) row[name] = new TextDecoder().decode(value);
  }
  return row as SqlRow;
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    if (typeof error === 'object' && error !== null && 'rawCode' in error) throw sqliteError(Number(error.rawCode), path, error);
    // A failed open has no code, only a text that ends with it: ConnectionFailed("… : 14")
    const code = /: (\d+)"\)$/.exec(error instanceof Error ? error.message : '')?.[1];
    throw sqliteError(code === undefined ? 1 : Number(code), path, error);
  }
}
