import type { TableSpec } from '@edge/core';
import { expect, it } from 'vitest';
import { entries, notes, type Note, type Open, type StoreSuiteOptions } from '../suite-kit.js';

/** Chapter 4: opening again. */
export function durabilityChapter(open: Open, reopen: NonNullable<StoreSuiteOptions['reopen']>, opened: Partial<AsyncDisposable>[]): void {
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
