import { errorCode, type Store, type TableSpec } from '@edge/core';

/** What a Store must be given to pass the suite. */
export interface StoreSuiteOptions {
  /** Goes into the title: `SQLite through libsql`. */
  readonly name: string;
  /** A new, empty store. Disposed after each test when it can be. */
  open(): Promise<Store & Partial<AsyncDisposable>>;
  /** The same data opened again; the given store is not used afterwards. Absent for stores that forget. */
  reopen?(store: Store): Promise<Store & Partial<AsyncDisposable>>;
}

/** Opens a new, empty store that is closed after the test. */
export type Open = () => Promise<Store>;

export interface Note {
  id: string;
  kind: string;
  size: number;
}
export const notes: TableSpec<Note> = { name: 'edge_suite_note', columns: { id: 'text', kind: 'text', size: 'integer' }, key: ['id'] };

export interface Entry {
  id: number;
  text: string;
}
export const entries: TableSpec<Entry> = { name: 'edge_suite_entry', columns: { id: 'integer', text: 'text' }, key: ['id'], autoIncrement: true };

export interface Pair {
  left: string;
  right: string;
  value: number;
}
export const pairs: TableSpec<Pair> = { name: 'edge_suite_pair', columns: { left: 'text', right: 'text', value: 'numeric' }, key: ['left', 'right'] };

/** The code of what the work throws. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return errorCode(error);
  }
  return 'did not throw';
}
