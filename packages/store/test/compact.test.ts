import { existsSync, readFileSync } from 'node:fs';
import { metaTable, type MetaRow } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { availableDrivers, loadDriver } from '../src/driver/load.js';
import { ask, scene } from './scene.js';

const SECRET = 'a-secret-in-clear';
/** How often the secret stands in the file and in its log. */
const count = (path: string): number =>
  ['', '-wal', '-journal'].reduce((sum, end) => sum + (existsSync(path + end) ? readFileSync(path + end, 'latin1').split(SECRET).length - 1 : 0), 0);

describe.each(availableDrivers())('compacting, through %s', (driver) => {
  const { open, copyOfGolden } = scene(driver);

  it('[store-13.1] leaves nothing of what was removed in the file, its free pages and its log, and all else as it was', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    const meta = store.table<MetaRow>(metaTable);
    const before = meta.all();
    // In pages of their own, in between other rows, replaced and removed.
    const rows = Array.from({ length: 40 }, (_, index) => ({ key: `secret-${index}`, type: 'x', value: SECRET.repeat(1 + index * 20) }));
    for (const row of rows) await store.commit(() => meta.put(row));
    for (const row of rows) await store.commit(() => meta.put({ ...row, value: 'short' }));
    await store.commit(() => rows.forEach(({ key }) => meta.remove({ key })));
    expect(count(path)).toBeGreaterThan(0);
    await store.compact();
    expect(count(path)).toBe(0);
    expect(meta.all()).toEqual(before);
    await store.commit(() => meta.put({ key: 'later', type: 'x', value: 'v' }));
    await store.close();
    expect(count(path)).toBe(0);
    expect(ask(path, 'SELECT count(*) AS rows FROM meta')).toEqual([{ rows: before.length + 1 }]);
  });

  it('[store-13.2] writes open commits first, and refuses to run inside one and after close', async () => {
    const store = await open({ path: copyOfGolden() });
    const meta = store.table<MetaRow>(metaTable);
    const committed = store.commit(() => meta.put({ key: 'a', type: 'x', value: SECRET }));
    await store.compact();
    await committed;
    expect(meta.get({ key: 'a' })?.value).toBe(SECRET);
    let refusal: unknown;
    await store.commit(() => void store.compact().catch((error: unknown) => { refusal = error; }));
    expect(refusal).toMatchObject({ code: 'store.nested-commit' });
    await store.close();
    await expect(store.compact()).rejects.toMatchObject({ code: 'store.closed' });
  });

  it('[store-13.3] says when another reader keeps the old state of the file alive, and works when it has gone', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    const meta = store.table<MetaRow>(metaTable);
    await store.commit(() => meta.put({ key: 'a', type: 'x', value: SECRET }));
    const reader = loadDriver(driver).open(path);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) AS rows FROM meta').get();
    await store.commit(() => meta.remove({ key: 'a' }));
    await expect(store.compact()).rejects.toMatchObject({ code: 'store.busy' });
    reader.exec('ROLLBACK');
    reader.close();
    await store.compact();
    expect(count(path)).toBe(0);
  });
});
