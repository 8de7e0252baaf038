import { token } from '../token.js';

/** A value that SQLite can hold. */
export type Column = string | number | null;

/** A table: its name, columns in the order of the file, and the primary key. */
export interface TableSpec<Row extends object> {
  readonly name: string;
  /** Column → SQLite type as in the file (`text`, `integer`, `numeric`). Order counts. */
  readonly columns: { readonly [C in keyof Row & string]: string };
  /** Primary key columns. One column `integer` with `autoIncrement` gets its number from the database. */
  readonly key: readonly (keyof Row & string)[];
  readonly autoIncrement?: boolean;
}

/** Order and number of rows to read. */
export interface ReadOptions<Row extends object> {
  readonly orderBy?: readonly (keyof Row & string)[];
  readonly descending?: boolean;
  readonly limit?: number;
}

/** Equality on columns; several values mean any of. */
export type Where<Row extends object> = { readonly [C in keyof Row]?: Row[C] | readonly Row[C][] };

/**
 * One table with one owner. Reads are synchronous and see every write that was made before them, durable or not.
 * Writes are legal only inside `Store.commit` and throw `store.no-commit` elsewhere.
 */
export interface Table<Row extends object> {
  get(key: Partial<Row>): Row | undefined;
  all(where?: Where<Row>, options?: ReadOptions<Row>): Row[];
  count(where?: Where<Row>): number;
  /** Inserts or replaces the row with that key. With `autoIncrement` and no key given: inserts; returns the row's number. */
  put(row: Row): number;
  /** Deletes; returns how many rows went. An empty `where` deletes all. */
  remove(where: Where<Row>): number;
}

/**
 * The agent's database. Commits are grouped: many units share one write to the disk, and each promise resolves when
 * its unit survives a power cut.
 */
export interface Store {
  /** The table, created when it is missing, with missing columns added. Calling again gives the same table. */
  table<Row extends object>(spec: TableSpec<Row>): Table<Row>;
  /**
   * Runs `work` at once and synchronously as one atomic unit. When it throws, the unit is undone and the promise rejects.
   * Resolves with its result when the unit is on the disk; only then may it be acknowledged.
   */
  commit<T>(work: () => T): Promise<T>;
  /** Waits until everything committed so far is on the disk. */
  flush(): Promise<void>;
  /**
   * Leaves nothing of removed rows in the file, neither in free space nor in the log: for secrets that were stored in
   * clear. Costs a rewrite of the whole file, with as much free disk again, and the event loop stands still meanwhile.
   */
  compact(): Promise<void>;
}

export const Store = token<Store>('core', 'Store');
