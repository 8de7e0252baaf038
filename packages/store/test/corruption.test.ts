import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { metaTable, metaV2Table, type MetaRow } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { availableDrivers } from '../src/driver/load.js';
import { ask, collectingLog, golden, scene } from './scene.js';

const PAGE = 4096;

/** Overwrites whole pages; page 1 holds the schema. */
function damage(path: string, pages: readonly number[], fill = 0xa5): void {
  const file = openSync(path, 'r+');
  for (const page of pages) writeSync(file, Buffer.alloc(PAGE, fill), 0, PAGE, (page - 1) * PAGE);
  closeSync(file);
}

describe.each(availableDrivers())('a damaged database, through %s', (driver) => {
  const { open, copyOfGolden, folder } = scene(driver);
  const now = (): Date => new Date('2024-02-03T04:05:06.789Z');

  const useless: Record<string, (path: string) => void> = {
    'an empty file': (path) => writeFileSync(path, ''),
    'random bytes': (path) => writeFileSync(path, Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251))),
    'a text': (path) => writeFileSync(path, 'hello\n'),
    'a folder': (path) => mkdirSync(path),
    'a page of zeros': (path) => writeFileSync(path, Buffer.alloc(PAGE)),
    'half a header': (path) => writeFileSync(path, readFileSync(golden).subarray(0, 50)),
    'a first page without the rest': (path) => writeFileSync(path, readFileSync(golden).subarray(0, PAGE)),
  };

  it.each(Object.entries(useless))('[store-6.1] sets aside %s and starts with a fresh file', async (_name, make) => {
    const path = join(folder(), 'edgecore.db');
    make(path);
    const { log, lines } = collectingLog();
    const store = await open({ path, log, now });
    expect(store.report).toMatchObject({ created: true, setAside: { path: `${path}.corrupt-20240203T040506Z` } });
    expect(existsSync(`${path}.corrupt-20240203T040506Z`)).toBe(true);
    expect(lines.filter((line) => line.level === 'error')).toHaveLength(1);
    const meta = store.table(metaTable);
    await store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    await store.close();
    const again = await open({ path, log });
    expect(again.report).toMatchObject({ created: false });
    expect(again.report.setAside).toBeUndefined();
    expect(again.table(metaTable).count()).toBe(1);
  });

  it('[store-6.2] keeps every row that lies outside one damaged page, whichever page it is', async () => {
    const pages = statSync(golden).size / PAGE;
    const before = ask(golden, 'SELECT `key`, value FROM meta').map((row) => `${row['key']} ${row['value']}`);
    let salvaged = 0;
    const kept: number[] = [];
    for (let page = 2; page <= pages; page += 2) {
      const path = copyOfGolden();
      damage(path, [page]);
      const store = await open({ path, now });
      const meta = store.table(metaTable);
      const rows = meta.all().map((row) => `${row.key} ${row.value}`);
      // A page in the midst of a long value has nothing that SQLite could check.
      expect(rows.filter((row) => !before.includes(row)).length, `page ${page}`).toBeLessThanOrEqual(store.report.setAside === undefined ? 1 : 0);
      const table = store.report.setAside?.tables.find((candidate) => candidate.name === 'meta');
      if (table !== undefined) expect(table.kept, `page ${page}`).toBe(rows.length);
      // The index of the key tells how many rows there were, unless the damage is in the index itself.
      if (table?.lost !== undefined) expect(rows.length + table.lost, `page ${page}`).toBe(before.length);
      if (store.report.setAside !== undefined) salvaged++;
      kept.push(rows.length);
      await store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
      await store.close();
      expect(ask(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    }
    expect(salvaged).toBeGreaterThan(pages / 4);
    // Only the root page of the table itself costs all rows; any other page costs those that lie on it.
    expect(kept.filter((count) => count === 0).length).toBeLessThanOrEqual(1);
    expect(kept.filter((count) => count >= before.length - 10).length).toBeGreaterThanOrEqual(kept.length - 2);
  }, 120_000);

  it('[store-6.3] says per table what was kept and what was lost, in the report and in one log line', async () => {
    const path = join(folder(), 'edgecore.db');
    const first = await open({ path });
    const meta = first.table(metaTable);
    await first.commit(() => {
      for (let index = 0; index < 3000; index++) meta.put({ key: `ns/pod/p${String(index).padStart(5, '0')}`, type: 'pod', value: 'x'.repeat(400) });
    });
    await first.commit(() => first.table(metaTable).remove({ key: 'ns/pod/p00000' }));
    await first.close();
    const leaves = statSync(path).size / PAGE;
    damage(path, [Math.floor(leaves / 2), Math.floor(leaves / 2) + 1]);

    const { log, lines } = collectingLog();
    const store = await open({ path, log, now });
    const table = store.report.setAside?.tables.find((candidate) => candidate.name === 'meta');
    expect(table?.kept).toBe(store.table(metaTable).count());
    expect(table?.kept).toBeGreaterThan(2900);
    expect((table?.kept ?? 0) + (table?.lost ?? 0)).toBe(2999);
    expect(table?.lost).toBeGreaterThan(0);
    const line = lines.find((candidate) => candidate.level === 'error');
    expect(line?.fields).toMatchObject({ path, setAside: store.report.setAside?.path, kept: `meta ${table?.kept}`, lost: `meta ${table?.lost}` });
  });

  it('[store-6.4] keeps what a truncated file still holds', async () => {
    const path = join(folder(), 'edgecore.db');
    const first = await open({ path });
    const meta = first.table(metaTable);
    for (let index = 0; index < 2000; index++) void first.commit(() => meta.put({ key: `k${index}`, type: 'pod', value: 'x'.repeat(400) }));
    await first.close();
    truncateSync(path, Math.floor(statSync(path).size / PAGE / 2) * PAGE + 100);
    const store = await open({ path });
    expect(store.table(metaTable).count()).toBeGreaterThan(500);
    expect(store.report.setAside?.tables[0]?.lost).not.toBe(0);
  });

  it('[store-6.5] starts whatever bytes are broken', async () => {
    const clean = readFileSync(golden);
    let seed = 12345;
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
    for (let round = 0; round < 40; round++) {
      const path = join(folder(), 'edgecore.db');
      const bytes = Buffer.from(clean);
      const spots = 1 + random(20);
      for (let spot = 0; spot < spots; spot++) {
        const at = random(round % 2 === 0 ? PAGE : bytes.length);
        bytes.fill(random(256), at, at + 1 + random(64));
      }
      writeFileSync(path, bytes);
      const store = await open({ path });
      const meta = store.table(metaTable);
      meta.all();
      store.table(metaV2Table).all();
      await store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
      await store.close();
      expect(ask(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    }
  }, 120_000);

  it('[store-6.6] salvages what only the write-ahead log holds, and moves the log along', async () => {
    const path = join(folder(), 'edgecore.db');
    const first = await open({ path });
    const meta = first.table(metaTable);
    for (let index = 0; index < 20; index++) await first.commit(() => meta.put({ key: `k${index}`, type: 't', value: 'v' }));
    // What a power cut leaves: the log beside a file that never got its content.
    const crashed = join(folder(), 'edgecore.db');
    copyFileSync(path, crashed);
    copyFileSync(`${path}-wal`, `${crashed}-wal`);
    writeFileSync(crashed, Buffer.concat([readFileSync(crashed), Buffer.alloc(100, 1)]));
    const sound = await open({ path: crashed });
    expect(sound.table(metaTable).count()).toBe(20);
  });

  it('[store-6.7] goes on with a salvage that was cut off', async () => {
    const path = copyOfGolden();
    const aside = `${path}.corrupt-20240101T000000Z`;
    copyFileSync(path, aside);
    chmodSync(aside, 0o600);
    damage(aside, [30]);
    for (const stage of ['before the move', 'after the move', 'between the move of the file and of its log', 'while the fresh file was written']) {
      writeFileSync(`${path}.salvaging`, JSON.stringify({ aside, reason: 'was broken' }));
      if (stage === 'while the fresh file was written') writeFileSync(`${path}.new`, 'half');
      if (stage !== 'before the move') rmSync(path);
      if (stage.startsWith('between')) writeFileSync(`${path}-wal`, 'log');
      const store = await open({ path });
      expect(store.table(metaTable).count(), stage).toBeGreaterThan(30);
      expect(store.report.setAside?.reason, stage).toBe(stage === 'before the move' ? undefined : 'was broken');
      await store.close();
      expect(readdirSync(dirname(path)).sort(), stage).toEqual([
        basename(path),
        basename(aside),
        ...(stage.startsWith('between') ? [`${basename(aside)}-wal`] : []),
      ]);
      rmSync(`${aside}-wal`, { force: true });
    }
  });

  it('[store-6.8] keeps the three newest files that were set aside, whatever the clock says', async () => {
    const path = join(folder(), 'edgecore.db');
    for (const at of ['2024-01-01', '2024-01-02', '2024-01-03', '1970-01-01', '1970-01-01']) {
      writeFileSync(path, 'broken'.repeat(1000));
      writeFileSync(`${path}-wal`, 'log');
      await (await open({ path, now: () => new Date(at) })).close();
    }
    expect(readdirSync(dirname(path)).sort()).toEqual([
      'edgecore.db',
      'edgecore.db.corrupt-19700101T000000Z-2',
      'edgecore.db.corrupt-19700101T000000Z-2-wal',
      'edgecore.db.corrupt-20240102T000000Z',
      'edgecore.db.corrupt-20240102T000000Z-wal',
      'edgecore.db.corrupt-20240103T000000Z',
      'edgecore.db.corrupt-20240103T000000Z-wal',
    ]);
  });

  it('[store-6.9] keeps the numbers of deleted rows used after a salvage', async () => {
    const path = join(folder(), 'edgecore.db');
    const spec = { name: 'edge_q', columns: { id: 'integer', text: 'text' }, key: ['id'], autoIncrement: true } as const;
    const first = await open({ path });
    const table = first.table<{ id: number; text: string }>(spec);
    await first.commit(() => {
      for (let index = 0; index < 500; index++) table.put({ id: 0, text: 'x'.repeat(300) });
      table.remove({ id: Array.from({ length: 100 }, (_, index) => 401 + index) });
    });
    await first.close();
    damage(path, [10]);
    const second = await open({ path });
    expect(second.report.setAside).toBeDefined();
    const again = second.table<{ id: number; text: string }>(spec);
    expect(await second.commit(() => again.put({ id: 0, text: 'next' }))).toBe(501);
  });

  it('[store-6.10] follows a link to the file and leaves the link in place', async () => {
    const path = copyOfGolden();
    const link = join(folder(), 'edgecore.db');
    symlinkSync(path, link);
    damage(path, [20, 21]);
    const store = await open({ path: link });
    expect(store.report.path).toBe(path);
    expect(dirname(store.report.setAside?.path ?? '')).toBe(dirname(path));
    await store.close();
    expect(readFileSync(link).subarray(0, 15).toString()).toBe('SQLite format 3');
  });

  it('[store-6.11] does not play the log of a deleted database into the new one', async () => {
    const path = join(folder(), 'edgecore.db');
    const first = await open({ path });
    const meta = first.table<MetaRow>(metaTable);
    await first.commit(() => meta.put({ key: 'old', type: 't', value: 'v' }));
    const other = join(folder(), 'edgecore.db');
    copyFileSync(`${path}-wal`, `${other}-wal`);
    const store = await open({ path: other });
    expect(store.report).toMatchObject({ created: true });
    expect(store.report.setAside).toBeUndefined();
    expect(store.table(metaTable).count()).toBe(0);
  });
});
