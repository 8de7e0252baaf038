import { describe, expect, it } from 'vitest';
import type { TableSpec } from '@edge/core';
import { createMemoryStore } from './memory-store.js';
import { storeSuite } from './suite.js';

storeSuite({ name: 'in memory', open: async () => createMemoryStore() });

const spec: TableSpec<{ id: string }> = { name: 'edge_test', columns: { id: 'text' }, key: ['id'] };

describe('memory store', () => {
  it('[testing-store-1] keeps commits waiting while it is held, and lets them through in order', async () => {
    const store = createMemoryStore();
    const table = store.table(spec);
    store.hold();
    const done: string[] = [];
    const all = ['a', 'b'].map((id) => store.commit(() => table.put({ id })).then(() => done.push(id)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(done).toEqual([]);
    expect(table.count()).toBe(2);
    store.release();
    await Promise.all(all);
    expect(done).toEqual(['a', 'b']);
  });

  it('[testing-store-2] fails a whole group once and goes on', async () => {
    const store = createMemoryStore();
    const table = store.table(spec);
    store.failNext(new Error('full'));
    const results = await Promise.allSettled(['a', 'b'].map((id) => store.commit(() => table.put({ id }))));
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    expect(table.count()).toBe(0);
    await store.commit(() => table.put({ id: 'c' }));
    expect(table.all()).toEqual([{ id: 'c' }]);
  });

  it('[testing-store-3] loses in a power cut what was not durable, and nothing else', async () => {
    const store = createMemoryStore();
    const table = store.table(spec);
    await store.commit(() => table.put({ id: 'durable' }));
    const lost = store.commit(() => {
      table.remove({});
      table.put({ id: 'open' });
    });
    store.cutPower();
    await expect(lost).rejects.toMatchObject({ code: 'store.commit-lost' });
    expect(table.all()).toEqual([{ id: 'durable' }]);
  });
});
