import { EdgeError, errorText } from '@edge/core';

/** Every code that this package throws. */
export type StoreErrorCode =
  /** The file or its folder cannot be opened or created. */
  | 'store.cannot-open'
  /** File or file system refuses writes. */
  | 'store.read-only'
  | 'store.disk-full'
  /** The disk answered with an error. */
  | 'store.io'
  /** Another process holds the file's lock for longer than the busy time-out. */
  | 'store.busy'
  /** Damage met while running; the next start salvages. */
  | 'store.corrupt'
  /** Used after it was closed. */
  | 'store.closed'
  /** A write outside `commit`. */
  | 'store.no-commit'
  /** `commit` inside `commit`. */
  | 'store.nested-commit'
  /** The work of a commit returned a promise. */
  | 'store.async-work'
  /** A unit was undone because the database gave up the whole group it was in. */
  | 'store.commit-lost'
  /** The table in the file cannot be used as described. */
  | 'store.schema'
  /** Two descriptions of one table. */
  | 'store.table-conflict'
  /** A table had to be created or changed inside a unit. */
  | 'store.table-in-commit'
  | 'store.bad-key'
  | 'store.bad-where'
  | 'store.bad-value'
  /** Neither SQLite driver can be loaded. */
  | 'store.no-driver'
  /** Anything else that SQLite refused. */
  | 'store.sql';

export class StoreError extends EdgeError {
  override readonly name = 'StoreError';

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** SQLite's primary result codes that a reader can do something about. */
const KNOWN: Readonly<Record<number, { readonly code: StoreErrorCode; readonly text: string }>> = {
  5: { code: 'store.busy', text: 'another process keeps the database locked; stop it (is the Go EdgeCore still running?)' },
  6: { code: 'store.busy', text: 'another statement keeps a table locked' },
  8: { code: 'store.read-only', text: 'the database cannot be written; check the owner of the file and whether the file system is mounted read-only' },
  10: { code: 'store.io', text: 'the disk reported an error; check the kernel log and the health of the disk' },
  11: { code: 'store.corrupt', text: 'the database is damaged; restart the agent, it will salvage what is readable' },
  13: { code: 'store.disk-full', text: 'the disk is full; free some space, the agent goes on by itself' },
  14: { code: 'store.cannot-open', text: 'the database cannot be opened; check that the folder exists and may be written' },
  26: { code: 'store.corrupt', text: 'the file is not a database' },
};

/** Turns SQLite's result code (extended or primary) into a typed error that names the file. */
export function sqliteError(resultCode: number, path: string, cause: unknown): StoreError {
  const known = KNOWN[resultCode & 0xff];
  if (known === undefined) return new StoreError('store.sql', `${path}: ${errorText(cause)}`, { cause });
  return new StoreError(known.code, `${path}: ${known.text}`, { cause });
}

const FILE_SYSTEM: Readonly<Record<string, { readonly code: StoreErrorCode; readonly text: string }>> = {
  EACCES: { code: 'store.cannot-open', text: 'no permission; start the agent as the owner of the folder (root on a node) or set database.dataSource to a path that it may write' },
  EPERM: { code: 'store.cannot-open', text: 'not permitted; start the agent as the owner of the folder (root on a node) or set database.dataSource to a path that it may write' },
  EROFS: { code: 'store.read-only', text: 'the file system is read-only; mount it writable or set database.dataSource to a path on another one' },
  ENOSPC: { code: 'store.disk-full', text: 'the disk is full; free some space and start again' },
  EDQUOT: { code: 'store.disk-full', text: 'the disk quota is used up; free some space and start again' },
  ENOTDIR: { code: 'store.cannot-open', text: 'a part of the path is a file, not a folder; set database.dataSource to another path' },
  ENOENT: { code: 'store.cannot-open', text: 'the folder does not exist and cannot be made; set database.dataSource to another path' },
  EBUSY: { code: 'store.cannot-open', text: 'the file is a mount point and cannot be replaced; mount its folder instead' },
};

/** Turns an error of the file system into a typed error that names the path and what to do. */
export function fileError(path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const known = FILE_SYSTEM[code];
  return new StoreError(known?.code ?? 'store.cannot-open', `${path}: ${known?.text ?? 'cannot be used'}`, { cause });
}
