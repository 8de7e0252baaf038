import { errorCode } from '@edge/core';
import { expect, it } from 'vitest';
import { codeOf, entries, notes, pairs, type Open } from '../suite-kit.js';

/** Chapter 3: units of work. */
export function commitChapter(open: Open): void {
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
