import { expect, it } from 'vitest';
import { codeOf, entries, notes, pairs, type Note, type Open } from '../suite-kit.js';

/** Chapter 1: tables, rows and values. */
export function tableChapter(open: Open): void {
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
