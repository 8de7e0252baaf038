/** A value as SQLite gives it. Blobs come as text, decoded from UTF-8; text of unknown origin must be read that way. */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface Changes {
  readonly changes: number;
  readonly lastId: number;
}

/** A prepared statement. Parameters are positional (`?1` is the first). */
export interface Statement {
  get(parameters?: readonly SqlValue[]): SqlRow | undefined;
  all(parameters?: readonly SqlValue[]): SqlRow[];
  run(parameters?: readonly SqlValue[]): Changes;
}

/**
 * All that the rest of the package knows about a SQLite library. Synchronous.
 * Integers beyond 2^53 must be read through `CAST(… AS REAL)`; drivers may refuse them otherwise.
 * Every failure is a `StoreError`.
 */
export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** True between BEGIN and the end of the transaction, also when SQLite ended it by itself. */
  readonly inTransaction: boolean;
  /**
   * A driver may hold the file until its statements are garbage, and then remove a write-ahead log **by name**. So leave
   * WAL mode before, or attach the file to a database in memory and detach it, which lets go at once.
   */
  close(): void;
}

export interface Driver {
  readonly name: 'node:sqlite' | 'libsql';
  /** Opens or creates the file; `path` is absolute. Without one: an empty database in memory, to attach others to. */
  open(path?: string): Connection;
}
