import type { Store, Table } from '@edge/core';
import { expect, it } from 'vitest';
import { codeOf, notes, type Note, type Open } from '../suite-kit.js';

/** Chapter 2: finding and removing rows. */
export function conditionChapter(open: Open): void {
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
