import { errorCode, type Store, type Table, type TableSpec } from '@edge/core';
import { afterEach, describe, expect, it } from 'vitest';

/** What a Store must be given to pass the suite. */
export interface StoreSuiteOptions {
  /** Goes into the title: `SQLite through libsql`. */
  readonly name: string;
  /** A new, empty store. Disposed after each test when it can be. */
  open(): Promise<Store & Partial<AsyncDisposable>>;
  /** The same data opened again; the given store is not used afterwards. Absent for stores that forget. */
  reopen?(store: Store): Promise<Store & Partial<AsyncDisposable>>;
}

interface Note {
  id: string;
  kind: string;
  size: number;
}
const notes: TableSpec<Note> = { name: 'edge_suite_note', columns: { id: 'text', kind: 'text', size: 'integer' }, key: ['id'] };

interface Entry {
  id: number;
  text: string;
}
const entries: TableSpec<Entry> = { name: 'edge_suite_entry', columns: { id: 'integer', text: 'text' }, key: ['id'], autoIncrement: true };

interface Pair {
  left: string;
  right: string;
  value: number;
}
const pairs: TableSpec<Pair> = { name: 'edge_suite_pair', columns: { left: 'text', right: 'text', value: 'numeric' }, key: ['left', 'right'] };

/** The behaviour of the `Store` port, as tests. Call it at the top of a test file, once per implementation. */
export function storeSuite(options: StoreSuiteOptions): void {
  describe(`store port: ${options.name}`, () => {
    const opened: Partial<AsyncDisposable>[] = [];
    const open = async (): Promise<Store> => {
      const store = await options.open();
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store[Symbol.asyncDispose]?.();
    });
    tables(open);
    conditions(open);
    commits(open);
    if (options.reopen !== undefined) durability(open, options.reopen.bind(options), opened);
  });
}

type Open = () => Promise<Store>;

function tables(open: Open): void {
  it('[store-1.1] gives back what was put, and undefined for a key that is not there', async () => {
    const store = await open();
    const table = store.table(notes);
    await store.commit(() => table.put({ id: 'a', kind: 'x', size: 3 }));
    expect(table.get({ id: 'a' })).toEqual({ id: 'a', kind: 'x', size: 3 });
    expect(table.get({ id: 'b' })).toBeUndefined();
  });

  it('[store-1.2] replaces the row with the same key', async () => {
    const store = await open();
    const table = store.table(notes);
    await store.commit(() => table.put({ id: 'a', kind: 'x', size: 3 }));
    await store.commit(() => table.put({ id: 'a', kind: 'y', size: 4 }));
    expect(table.all()).toEqual([{ id: 'a', kind: 'y', size: 4 }]);
  });

  it('[store-1.3] numbers new rows upwards and never gives a number again', async () => {
    const store = await open();
    const table = store.table(entries);
    const first = await store.commit(() => table.put({ id: 0, text: 'one' }));
    const second = await store.commit(() => table.put({ id: 0, text: 'two' }));
    expect(second).toBeGreaterThan(first);
    await store.commit(() => table.remove({ id: second }));
    expect(await store.commit(() => table.put({ id: 0, text: 'three' }))).toBeGreaterThan(second);
    expect(await store.commit(() => table.put({ id: first, text: 'changed' }))).toBe(first);
    expect(table.all().map((row) => row.text)).toEqual(['changed', 'three']);
  });

  it('[store-1.4] knows rows by all columns of a composite key', async () => {
    const store = await open();
    const table = store.table(pairs);
    await store.commit(() => {
      table.put({ left: 'a', right: 'b', value: 1 });
      table.put({ left: 'a', right: 'c', value: 2 });
      table.put({ left: 'a', right: 'b', value: 1.5 });
    });
    expect(table.get({ left: 'a', right: 'b' })).toEqual({ left: 'a', right: 'b', value: 1.5 });
    expect(codeOf(() => table.get({ left: 'a' }))).toBe('store.bad-key');
  });

  it('[store-1.5] gives the same table for the same description and refuses a second description', async () => {
    const store = await open();
    expect(store.table(notes)).toBe(store.table({ ...notes }));
    expect(codeOf(() => store.table({ ...notes, key: ['kind'] }))).toBe('store.table-conflict');
  });

  it('[store-1.6] keeps text whole: quotes, newlines, NUL, all planes of Unicode, a megabyte', async () => {
    const store = await open();
    const table = store.table(notes);
    const texts = [`'"\`;--`, 'a\nb\r\n', 'a\0b', '\0', 'ü€😀\u{10ffff}', 'x'.repeat(1_000_000), ''];
    await store.commit(() => texts.forEach((id, size) => table.put({ id, kind: id, size })));
    for (const [size, id] of texts.entries()) expect(table.get({ id })).toEqual({ id, kind: id, size });
  });

  it('[store-1.7] keeps numbers exact up to 2^53 and refuses what is no number', async () => {
    const store = await open();
    const table = store.table(notes);
    const sizes = [0, -1, 2 ** 31, 2 ** 53, -(2 ** 53)];
    await store.commit(() => sizes.forEach((size) => table.put({ id: String(size), kind: '', size })));
    for (const size of sizes) expect(table.get({ id: String(size) })?.size).toBe(size);
    for (const size of [Number.NaN, Infinity, 'seven' as unknown as number, {} as number]) {
      await expect(store.commit(() => table.put({ id: 'bad', kind: '', size }))).rejects.toMatchObject({ code: 'store.bad-value' });
    }
    expect(table.get({ id: 'bad' })).toBeUndefined();
  });

  it('[store-1.8] stores missing and null values as empty text and zero', async () => {
    const store = await open();
    const table = store.table(notes);
    await store.commit(() => table.put({ id: 'a', kind: null } as unknown as Note));
    expect(table.get({ id: 'a' })).toEqual({ id: 'a', kind: '', size: 0 });
    expect(table.count({ kind: '', size: 0 })).toBe(1);
  });

  it('[store-1.9] gives rows that are copies', async () => {
    const store = await open();
    const table = store.table(notes);
    const row = { id: 'a', kind: 'x', size: 1 };
    await store.commit(() => table.put(row));
    row.kind = 'changed';
    const read = table.get({ id: 'a' }) as Note;
    read.size = 99;
    expect(table.get({ id: 'a' })).toEqual({ id: 'a', kind: 'x', size: 1 });
  });
}

function conditions(open: Open): void {
  const filled = async (): Promise<{ store: Store; table: Table<Note> }> => {
    const store = await open();
    const table = store.table(notes);
    await store.commit(() => {
      for (let index = 0; index < 40; index++) table.put({ id: `n${String(index).padStart(2, '0')}`, kind: index % 2 === 0 ? 'even' : 'odd', size: index });
    });
    return { store, table };
  };

  it('[store-2.1] finds by equality on several columns, and by any of several values', async () => {
    const { table } = await filled();
    expect(table.count()).toBe(40);
    expect(table.count({ kind: 'even' })).toBe(20);
    expect(table.all({ kind: 'even', size: 4 })).toEqual([{ id: 'n04', kind: 'even', size: 4 }]);
    expect(table.all({ size: [3, 5, 99] }).map((row) => row.id)).toEqual(['n03', 'n05']);
    expect(table.all({ id: Array.from({ length: 1000 }, (_, index) => `n${index}`), kind: 'odd' })).toHaveLength(15);
    expect(table.all({ size: [] })).toEqual([]);
  });

  it('[store-2.2] reads in the order of the key, or as asked, and as many as asked', async () => {
    const { table } = await filled();
    expect(table.all({}, { limit: 2 }).map((row) => row.id)).toEqual(['n00', 'n01']);
    expect(table.all({ kind: 'odd' }, { orderBy: ['size'], descending: true, limit: 2 }).map((row) => row.size)).toEqual([39, 37]);
    expect(table.all({}, { orderBy: ['kind', 'size'], limit: 21 }).map((row) => row.size)).toEqual([...Array.from({ length: 20 }, (_, index) => index * 2), 1]);
    expect(table.all({}, { limit: 0 })).toEqual([]);
  });

  it('[store-2.3] removes what matches and says how much it was; an empty condition means all', async () => {
    const { store, table } = await filled();
    expect(await store.commit(() => table.remove({ id: ['n00', 'n01', 'nothing'] }))).toBe(2);
    expect(await store.commit(() => table.remove({ kind: 'none' }))).toBe(0);
    expect(await store.commit(() => table.remove({}))).toBe(38);
    expect(table.count()).toBe(0);
  });

  it('[store-2.4] refuses unknown columns and undefined values instead of matching more than was meant', async () => {
    const { store, table } = await filled();
    const undefinedKind = { kind: undefined } as unknown as { kind: string };
    await expect(store.commit(() => table.remove(undefinedKind))).rejects.toMatchObject({ code: 'store.bad-where' });
    expect(codeOf(() => table.all({ 'id` OR 1=1 --': 'x' } as never))).toBe('store.bad-where');
    expect(codeOf(() => table.all({}, { orderBy: ['nothing' as 'id'] }))).toBe('store.bad-where');
    expect(table.count()).toBe(40);
  });
}

function commits(open: Open): void {
  it('[store-3.1] runs the work at once, and reads see it before it is durable', async () => {
    const store = await open();
    const table = store.table(notes);
    const promise = store.commit(() => table.put({ id: 'a', kind: '', size: 1 }));
    expect(table.count()).toBe(1);
    await promise;
    expect(table.count()).toBe(1);
  });

  it('[store-3.2] undoes a unit that throws, and only that one', async () => {
    const store = await open();
    const table = store.table(notes);
    await store.commit(() => table.put({ id: 'old', kind: 'kept', size: 1 }));
    const before = store.commit(() => table.put({ id: 'before', kind: '', size: 1 }));
    const failing = store.commit(() => {
      table.put({ id: 'bad', kind: '', size: 1 });
      table.put({ id: 'old', kind: 'changed', size: 2 });
      table.remove({ id: 'before' });
      throw new Error('no');
    });
    const after = store.commit(() => table.put({ id: 'later', kind: '', size: 1 }));
    await expect(failing).rejects.toThrow('no');
    await Promise.all([before, after]);
    expect(table.all().map((row) => [row.id, row.kind])).toEqual([
      ['before', ''],
      ['later', ''],
      ['old', 'kept'],
    ]);
  });

  it('[store-3.3] refuses writes outside commit and leaves the table as it was', async () => {
    const store = await open();
    const table = store.table(notes);
    expect(codeOf(() => table.put({ id: 'a', kind: '', size: 1 }))).toBe('store.no-commit');
    expect(codeOf(() => table.remove({}))).toBe('store.no-commit');
    const open1 = store.commit(() => table.put({ id: 'b', kind: '', size: 1 }));
    expect(codeOf(() => table.put({ id: 'a', kind: '', size: 1 }))).toBe('store.no-commit');
    await open1;
    expect(table.all().map((row) => row.id)).toEqual(['b']);
  });

  it('[store-3.4] refuses a commit inside a commit, work that returns a promise, and a new table inside a commit', async () => {
    const store = await open();
    const table = store.table(notes);
    let inner: Promise<unknown> | undefined;
    await store.commit(() => {
      table.put({ id: 'outer', kind: '', size: 0 });
      inner = store.commit(() => table.put({ id: 'inner', kind: '', size: 0 })).catch(errorCode);
    });
    expect(await inner).toBe('store.nested-commit');
    const late = store.commit(async () => table.put({ id: 'async', kind: '', size: 0 }));
    await expect(late).rejects.toMatchObject({ code: 'store.async-work' });
    await expect(store.commit(() => store.table(pairs).count())).rejects.toMatchObject({ code: 'store.table-in-commit' });
    expect(table.all().map((row) => row.id)).toEqual(['outer']);
  });

  it('[store-3.5] resolves with the result of the work, in the order of the commits', async () => {
    const store = await open();
    const table = store.table(entries);
    const order: number[] = [];
    const all = Array.from({ length: 2500 }, (_, index) =>
      store.commit(() => (table.put({ id: 0, text: String(index) }), index)).then((result) => order.push(result)),
    );
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 2500 }, (_, index) => index));
    expect(table.all().map((row) => row.text)).toEqual(order.map(String));
  });

  it('[store-3.6] flush waits for all units before it', async () => {
    const store = await open();
    const table = store.table(notes);
    let durable = 0;
    for (let index = 0; index < 10; index++) void store.commit(() => table.put({ id: String(index), kind: '', size: index })).then(() => durable++);
    await store.flush();
    // Their promises are settled by now; this lets the callbacks run.
    await new Promise((resolve) => setImmediate(resolve));
    expect(durable).toBe(10);
    await store.flush();
  });

  it('[store-3.7] makes a table while units are open', async () => {
    const store = await open();
    const table = store.table(notes);
    const promise = store.commit(() => table.put({ id: 'a', kind: '', size: 1 }));
    const second = store.table(pairs);
    await store.commit(() => second.put({ left: 'l', right: 'r', value: 1 }));
    await promise;
    expect([table.count(), second.count()]).toEqual([1, 1]);
  });
}

function durability(open: Open, reopen: NonNullable<StoreSuiteOptions['reopen']>, opened: Partial<AsyncDisposable>[]): void {
  it('[store-4.1] has everything that was committed after it is opened again', async () => {
    const first = await open();
    const table = first.table(entries);
    const ids = await Promise.all(Array.from({ length: 100 }, (_, index) => first.commit(() => table.put({ id: 0, text: `t${index}` }))));
    await first.commit(() => table.remove({ id: ids[50] as number }));
    const second = await reopen(first);
    opened.push(second);
    const again = second.table(entries);
    expect(again.count()).toBe(99);
    expect(again.get({ id: ids[99] as number })?.text).toBe('t99');
    expect(await second.commit(() => again.put({ id: 0, text: 'next' }))).toBeGreaterThan(ids[99] as number);
  });

  it('[store-4.2] adds the columns that a newer description has, with empty values', async () => {
    const first = await open();
    const narrow = first.table({ name: notes.name, columns: { id: 'text', size: 'integer' }, key: ['id'] } as TableSpec<Omit<Note, 'kind'>>);
    await first.commit(() => narrow.put({ id: 'a', size: 1 }));
    const second = await reopen(first);
    opened.push(second);
    const wide = second.table(notes);
    expect(wide.all()).toEqual([{ id: 'a', kind: '', size: 1 }]);
    expect(wide.count({ kind: '' })).toBe(1);
    await second.commit(() => wide.put({ id: 'a', kind: 'x', size: 2 }));
    expect(wide.all()).toEqual([{ id: 'a', kind: 'x', size: 2 }]);
  });

  it('[store-4.3] leaves columns alone that its description does not know', async () => {
    const first = await open();
    const wide = first.table(notes);
    await first.commit(() => wide.put({ id: 'a', kind: 'keep me', size: 1 }));
    const second = await reopen(first);
    const narrow = second.table({ name: notes.name, columns: { id: 'text', size: 'integer' }, key: ['id'] } as TableSpec<Omit<Note, 'kind'>>);
    await second.commit(() => narrow.put({ id: 'a', size: 7 }));
    const third = await reopen(second);
    opened.push(third);
    expect(third.table(notes).all()).toEqual([{ id: 'a', kind: 'keep me', size: 7 }]);
  });
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return errorCode(error);
  }
  return 'did not throw';
}
