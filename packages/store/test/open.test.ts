import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorText, silentLogger } from '@edge/core';
import { metaTable, type MetaRow } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { availableDrivers, loadDriver } from '../src/driver/load.js';
import { openStore } from '../src/open.js';
import { buildChild } from './child.js';
import { ask, collectingLog, scene } from './scene.js';

describe.each(availableDrivers())('opening and closing, through %s', (driver) => {
  const { open, folder, copyOfGolden } = scene(driver);

  it('[store-9.1] sets the journal, the flushing and the waiting that durability needs', async () => {
    const { log, lines } = collectingLog();
    const path = join(folder(), 'deep', 'er', 'edgecore.db');
    const store = await open({ path, log });
    expect(store.report).toMatchObject({ path, driver, created: true });
    expect(store.report.sqlite).toMatch(/^3\.\d+/);
    expect(lines.map((line) => line.level)).toEqual(['info']);
    expect(ask(path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  it.each([
    ['a file in the place of a folder', (base: string) => (writeFileSync(join(base, 'file'), ''), join(base, 'file', 'edgecore.db'))],
    ['a file system that takes no files', () => '/sys/edgecore.db'],
    ['a folder that cannot be made', () => '/proc/edge/edgecore.db'],
  ])('[store-9.2] says for %s which path it is and what to do', async (_name, path) => {
    const target = path(folder());
    const error = await openStore({ path: target, log: silentLogger, driver }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name: 'StoreError', code: expect.stringMatching(/^store\.(cannot-open|read-only)$/) });
    expect(errorText(error)).toContain(target);
    expect(errorText(error)).toContain('database.dataSource');
  });

  it('[store-9.3] waits for another process and then names the cause', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    const meta = store.table<MetaRow>(metaTable);
    const other = loadDriver(driver).open(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }))).rejects.toMatchObject({ code: 'store.busy' });
    other.exec('ROLLBACK');
    other.close();
    await store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    expect(meta.get({ key: 'k' })?.value).toBe('v');
  });

  it('[store-9.4] writes what is open when it closes, and refuses everything afterwards', async () => {
    const path = join(folder(), 'edgecore.db');
    const store = await open({ path });
    const meta = store.table<MetaRow>(metaTable);
    const pending = store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    await store.close();
    await pending;
    await store.close();
    await expect(store.commit(() => 1)).rejects.toMatchObject({ code: 'store.closed' });
    await expect(store.backupTo(`${path}.bak`)).rejects.toMatchObject({ code: 'store.closed' });
    expect(() => store.table<MetaRow>(metaTable)).toThrow(/closed/);
    expect(() => meta.all()).toThrow();
    expect(readdirSync(dirname(path))).toEqual(['edgecore.db']);
    expect(ask(path, 'SELECT value FROM meta')).toEqual([{ value: 'v' }]);
  });

  it('[store-9.5] closes while another process reads, losing nothing', async () => {
    const { log, lines } = collectingLog();
    const path = copyOfGolden();
    const store = await open({ path, log });
    const reader = loadDriver(driver).open(path);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) AS n FROM meta').get();
    const meta = store.table<MetaRow>(metaTable);
    await store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    await store.close();
    expect(lines.filter((line) => line.level === 'warn')).toHaveLength(1);
    reader.exec('ROLLBACK');
    expect(Number(reader.prepare('SELECT count(*) AS n FROM meta').get()?.['n'])).toBe(40);
    reader.close();
  });

  it('[store-9.6] plays back the journal of a Go EdgeCore that was killed in the midst of a write', async () => {
    const path = copyOfGolden();
    // What a kill leaves: pages already overwritten in the file, their old content in the journal beside it.
    const writer = loadDriver(driver).open(path);
    writer.exec('PRAGMA cache_size=1');
    writer.exec('BEGIN IMMEDIATE');
    writer.exec("UPDATE meta SET value = printf('%.*c', 200000, 'x')");
    const copy = join(folder(), 'edgecore.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-journal`, `${copy}-journal`);
    writer.exec('ROLLBACK');
    writer.close();
    chmodSync(copy, 0o600);
    const store = await open({ path: copy });
    expect(store.report.setAside).toBeUndefined();
    expect(store.table<MetaRow>(metaTable).all().some((row) => row.value.startsWith('xxx'))).toBe(false);
    expect(store.table<MetaRow>(metaTable).count()).toBe(39);
  });

  it('[store-9.7] takes a driver by name and says what to do when it cannot be had', async () => {
    const missing = (['node:sqlite', 'libsql'] as const).filter((name) => !availableDrivers().includes(name));
    for (const name of missing) {
      const error = await openStore({ path: join(folder(), 'edgecore.db'), log: silentLogger, driver: name }).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'store.no-driver' });
      expect(errorText(error)).toContain('22.13');
    }
    expect(loadDriver().name).toBe(missing.includes('node:sqlite') ? 'libsql' : 'node:sqlite');
  });

  it('[store-9.8] keeps two stores in one process apart', async () => {
    const [first, second] = [await open(), await open()];
    const meta = first.table(metaTable);
    await first.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    expect(second.table(metaTable).count()).toBe(0);
  });

  it('[store-9.9] is silent on stderr: the warning that Node.js gives for its SQLite does not show, others do', async () => {
    const program = await buildChild('opener');
    const { stdout, stderr } = spawnSync(process.execPath, [program, join(folder(), 'edgecore.db'), driver], { encoding: 'utf8' });
    rmSync(program);
    expect(stdout).toBe('closed\n');
    expect(stderr).not.toContain('SQLite');
    expect(stderr).toContain('still here');
  });
});
