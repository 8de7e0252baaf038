import { createRequire, isBuiltin } from 'node:module';
import { sqliteError, StoreError } from '../errors.js';
import type { Changes, Connection, Driver, SqlRow, SqlValue, Statement } from './connection.js';
import { databaseUrl } from './url.js';

// The shape of node:sqlite as far as it is used; the types of Node 20 do not know the module.
interface NativeStatement {
  get(...parameters: readonly SqlValue[]): Record<string, unknown> | undefined;
  all(...parameters: readonly SqlValue[]): Record<string, unknown>[];
  run(...parameters: readonly SqlValue[]): { changes: number; lastInsertRowid: number };
}
interface NativeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NativeStatement;
  close(): void;
  readonly isTransaction?: boolean;
}
interface NativeModule {
  readonly DatabaseSync: new (path: string, options: { defensive: boolean }) => NativeDatabase;
}

/** The driver inside Node.js, present without a flag from 22.13 on; undefined where it is missing. */
export function loadNodeSqlite(): Driver | undefined {
  if (!isBuiltin('node:sqlite')) return undefined;
  const native = withoutExperimentalWarning(() => createRequire(import.meta.url)('node:sqlite') as NativeModule);
  return { name: 'node:sqlite', open: (path) => new NodeSqliteConnection(native, path) };
}

/** The module announces itself on stderr when it is loaded, which would be noise in an agent's log. */
function withoutExperimentalWarning<T>(load: () => T): T {
  const original = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    const type = typeof rest[0] === 'string' ? rest[0] : (rest[0] as { type?: string } | undefined)?.type;
    if (type === 'ExperimentalWarning') return;
    Reflect.apply(original, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = original;
  }
}

class NodeSqliteConnection implements Connection {
  readonly #path: string;
  readonly #database: NativeDatabase;
  #open = true;

  constructor(native: NativeModule, path: string | undefined) {
    this.#path = path ?? 'database in memory';
    // Newer versions of Node.js forbid writable_schema by default, which salvage needs to read a file that was cut short.
    this.#database = attempt(this.#path, () => new native.DatabaseSync(databaseUrl(path), { defensive: false }));
  }

  exec(sql: string): void {
    attempt(this.#path, () => this.#database.exec(sql));
  }

  prepare(sql: string): Statement {
    const path = this.#path;
    const statement = attempt(path, () => this.#database.prepare(sql));
    return {
      get: (parameters = []) => attempt(path, () => decodeRow(statement.get(...parameters))),
      all: (parameters = []) => attempt(path, () => statement.all(...parameters).map((row) => decodeRow(row) as SqlRow)),
      run: (parameters = []): Changes =>
        attempt(path, () => {
          const result = statement.run(...parameters);
          return { changes: result.changes, lastId: result.lastInsertRowid };
        }),
    };
  }

  get inTransaction(): boolean {
    // isTransaction came with 22.16; before it, only the attempt to begin a second one tells.
    if (this.#database.isTransaction !== undefined) return this.#database.isTransaction;
    try {
      this.#database.exec('BEGIN');
    } catch {
      return true;
    }
    this.#database.exec('ROLLBACK');
    return false;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    attempt(this.#path, () => this.#database.close());
  }
}

function decodeRow(row: Record<string, unknown> | undefined): SqlRow | undefined {
  if (row === undefined) return undefined;
  for (const name in row) if (row[name] instanceof Uint8Array) row[name] = new TextDecoder().decode(row[name]);
  return row as SqlRow;
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'errcode' in error) throw sqliteError(Number(error.errcode), path, error);
    throw new StoreError('store.sql', `${path}: ${String(error)}`, { cause: error });
  }
}
