import type { Logger, Store, Table, TableSpec } from '@edge/core';
import { errorText } from '@edge/core';
import { writeBackup } from './backup.js';
import type { Connection } from './driver/connection.js';
import { StoreError } from './errors.js';
import { GroupCommit, type GroupLimits } from './group-commit.js';
import { readText } from './query.js';
import type { OpenReport } from './report.js';
import { planTable } from './schema/plan.js';
import { SqliteTable } from './table.js';

/** An open database: the `Store` port and what only its holder may do. */
export interface OpenedStore extends Store, AsyncDisposable {
  /** What was found and done when it was opened. */
  readonly report: OpenReport;
  /**
   * Writes a consistent copy that Go EdgeCore can open. An older copy at `path` is replaced only when the new one is whole.
   * The event loop stands still meanwhile.
   */
  backupTo(path: string): Promise<void>;
  /** Writes what is open and leaves one single file behind, as Go EdgeCore expects it. Calling again does nothing. */
  close(): Promise<void>;
}

/** Waits for the lock of another process, milliseconds; the Go agent waits as long. */
export const BUSY_TIMEOUT = 5000;
/** Whoever closes or compacts the file waits this long for other readers of it, milliseconds. */
const CLOSE_PATIENCE = 500;

export class SqliteStore implements OpenedStore {
  readonly report: OpenReport;
  readonly #connection: Connection;
  readonly #commits: GroupCommit;
  readonly #log: Logger;
  readonly #tables = new Map<string, SqliteTable<never>>();
  #closed = false;

  constructor(deps: { connection: Connection; report: OpenReport; limits: GroupLimits; log: Logger }) {
    this.report = deps.report;
    this.#connection = deps.connection;
    this.#commits = new GroupCommit({ connection: deps.connection, limits: deps.limits });
    this.#log = deps.log;
  }

  table<Row extends object>(spec: TableSpec<Row>): Table<Row> {
    this.#mustBeOpen();
    const known = this.#tables.get(spec.name) as SqliteTable<Row> | undefined;
    if (known !== undefined) {
      if (JSON.stringify(known.spec) === JSON.stringify(spec)) return known;
      throw new StoreError('store.table-conflict', `table ${spec.name} is described in two ways`);
    }
    const existing = this.#connection
      .prepare(`SELECT ${readText('name')} AS name, pk FROM pragma_table_info(?1)`)
      .all([spec.name])
      .map((column) => ({ name: String(column['name']), pk: Number(column['pk']) }));
    const plan = planTable(spec, existing);
    if (plan.statements.length > 0) this.#alter(spec.name, plan.statements);
    const table = new SqliteTable<Row>({ spec, connection: this.#connection, commits: this.#commits, oldNames: plan.oldNames });
    this.#tables.set(spec.name, table as unknown as SqliteTable<never>);
    return table;
  }

  async commit<T>(work: () => T): Promise<T> {
    this.#mustBeOpen();
    return this.#commits.run(work);
  }

  async flush(): Promise<void> {
    await this.#commits.flush();
  }

  /** @throws StoreError `store.disk-full`, `store.io`; `store.busy` when another process reads the file, whose log cannot be cut then */
  async compact(): Promise<void> {
    this.#mustBeOpen();
    if (this.#commits.inUnit) throw new StoreError('store.nested-commit', 'the file cannot be compacted inside a commit');
    this.#commits.commitNow();
    this.#connection.exec('VACUUM');
    this.#connection.exec(`PRAGMA busy_timeout=${CLOSE_PATIENCE}`);
    const outcome = this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    this.#connection.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
    if (Number(outcome?.['busy']) !== 0) throw new StoreError('store.busy', `${this.report.path}: another process reads the file, so what was removed is still in it or in its log`);
  }

  async backupTo(path: string): Promise<void> {
    this.#mustBeOpen();
    if (this.#commits.inUnit) throw new StoreError('store.nested-commit', 'a backup cannot be made inside a commit');
    this.#commits.commitNow();
    writeBackup(this.#connection, path);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#commits.inUnit) throw new StoreError('store.nested-commit', 'the database cannot be closed inside a commit');
    this.#commits.commitNow();
    this.#closed = true;
    try {
      this.#connection.exec(`PRAGMA busy_timeout=${CLOSE_PATIENCE}`);
      this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
      this.#connection.prepare('PRAGMA journal_mode=DELETE').all();
    } catch (error) {
      // Nothing is lost: the write-ahead log stays beside the file and whoever opens it next reads both.
      this.#log.warn('database closed with its write-ahead log left beside it', { path: this.report.path, err: errorText(error) });
    }
    this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Apart from the units: were it in their transaction, a failing group would take the table along. */
  #alter(table: string, statements: readonly string[]): void {
    if (this.#commits.inUnit) {
      throw new StoreError('store.table-in-commit', `table ${table} must be made before the commit that uses it`);
    }
    this.#commits.commitNow();
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      for (const statement of statements) this.#connection.exec(statement);
      this.#connection.exec('COMMIT');
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    }
    this.#log.verbose(2, 'table brought up to date', { table, statements: statements.length });
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreError('store.closed', `${this.report.path}: the database is closed`);
  }
}
