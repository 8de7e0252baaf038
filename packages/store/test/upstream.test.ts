import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deviceAttrTable, deviceTable, deviceTwinTable, metaTable, metaV2Table, subTopicsTable, targetUrlsTable } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { availableDrivers, loadDriver } from '../src/driver/load.js';
import { ask, golden, scene } from './scene.js';

const SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'edge~_%' ESCAPE '~' ORDER BY rowid";
const all = [metaTable, metaV2Table, deviceTable, deviceAttrTable, deviceTwinTable, subTopicsTable, targetUrlsTable] as const;

describe.each(availableDrivers())('the file of the Go EdgeCore, through %s', (driver) => {
  const { open, copyOfGolden, folder } = scene(driver);

  it('[store-5.1] reads every row of every table', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    expect(store.report.created).toBe(false);
    expect(store.report.setAside).toBeUndefined();
    for (const spec of all) {
      const rows = store.table<object>(spec as never).all();
      const columns = Object.keys(spec.columns).map((name) => `\`${name}\``).join(',');
      expect(rows).toEqual(ask(golden, `SELECT ${columns} FROM ${spec.name} ORDER BY ${spec.key[0]}`));
    }
    expect([store.table(metaTable).count(), store.table(metaV2Table).count()]).toEqual([39, 21]);
  });

  it('[store-5.2] leaves schema text, column order and all other rows as they were, in one single file', async () => {
    const path = copyOfGolden();
    const before = ask(path, SCHEMA);
    const store = await open({ path });
    const meta = store.table(metaTable);
    const twins = store.table(deviceTwinTable);
    await store.commit(() => {
      meta.put({ key: 'default/pod/ours', type: 'pod', value: '{"metadata":{}}' });
      twins.put({ ...(twins.all()[0] as (ReturnType<typeof twins.all>)[0]), id: 0, name: 'ours' });
    });
    for (const spec of all) store.table<object>(spec as never);
    await store.close();

    expect(ask(path, SCHEMA)).toEqual(before);
    expect(ask(path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
    expect(ask(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(ask(path, 'SELECT count(*) AS n FROM meta')).toEqual([{ n: 40 }]);
    expect(readdirSync(dirname(path))).toEqual(['edgecore.db']);
  });

  it('[store-5.3] makes missing tables with the very text that gorm writes', async () => {
    const path = join(folder(), 'edgecore.db');
    const store = await open({ path });
    expect(store.report.created).toBe(true);
    for (const spec of all) store.table<object>(spec as never);
    await store.close();
    const text = (file: string): Record<string, unknown> => Object.fromEntries(ask(file, SCHEMA).map((row) => [row['name'], row['sql']]));
    expect(text(path)).toEqual(text(golden));
  });

  it('[store-5.4] reads meta_v2 of v1.22 by name, fills the new columns, and keeps the old ones current', async () => {
    const path = join(folder(), 'edgecore.db');
    const old = loadDriver().open(path);
    old.exec(
      'CREATE TABLE "meta_v2" ("key" varchar(256) NOT NULL PRIMARY KEY, "groupversionresource" varchar(256) NOT NULL DEFAULT \'\', ' +
        '"namespace" varchar(256) NOT NULL DEFAULT \'\', "name" varchar(256) NOT NULL DEFAULT \'\', ' +
        '"resourceversion" bigint unsigned NOT NULL DEFAULT 0, "value" text)',
    );
    old.exec("INSERT INTO meta_v2 VALUES ('/core/v1/pods/default/p1','/v1, Resource=pods','default','p1',17,NULL)");
    old.close();

    const store = await open({ path });
    const table = store.table(metaV2Table);
    const row = { key: '/core/v1/pods/default/p1', group_version_resource: '/v1, Resource=pods', namespace: 'default', name: 'p1', resource_version: 17, value: '' };
    expect(table.all()).toEqual([row]);
    expect(table.count({ group_version_resource: '/v1, Resource=pods', resource_version: 17, value: '' })).toBe(1);
    const changed = { ...row, resource_version: 18, value: '{}\n' };
    const added = { ...changed, key: '/core/v1/pods/default/p2', name: 'p2' };
    await store.commit(() => (table.put(changed), table.put(added)));
    expect(table.all()).toEqual([changed, added]);
    await store.close();

    expect(ask(path, 'SELECT groupversionresource AS g, resourceversion AS r, resource_version AS n FROM meta_v2')).toEqual([
      { g: '/v1, Resource=pods', r: 18, n: 18 },
      { g: '/v1, Resource=pods', r: 18, n: 18 },
    ]);
    const names = ask(path, "SELECT name FROM pragma_table_info('meta_v2')").map((column) => column['name']);
    expect(names).toEqual(['key', 'groupversionresource', 'namespace', 'name', 'resourceversion', 'value', 'group_version_resource', 'resource_version']);
  });

  it('[store-5.5] fills what v1.22 wrote after a way back, at the next start', async () => {
    const path = join(folder(), 'edgecore.db');
    const old = loadDriver().open(path);
    old.exec('CREATE TABLE meta_v2 (key text PRIMARY KEY, groupversionresource text, resourceversion integer, group_version_resource text, namespace text, name text, resource_version integer, value text)');
    old.exec("INSERT INTO meta_v2 (key, groupversionresource, resourceversion) VALUES ('k', 'g', 5)");
    old.close();
    const table = (await open({ path })).table(metaV2Table);
    expect(table.get({ key: 'k' })).toEqual({ key: 'k', group_version_resource: 'g', namespace: '', name: '', resource_version: 5, value: '' });
  });

  it('[store-5.6] tolerates columns of others, odd types, NULL, blobs and numbers beyond 2^53', async () => {
    const path = join(folder(), 'edgecore.db');
    const other = loadDriver().open(path);
    other.exec("CREATE TABLE meta_v2 (extra text DEFAULT 'x', value text, key text PRIMARY KEY, name, namespace text, resource_version integer, group_version_resource text)");
    other.exec("INSERT INTO meta_v2 (key, resource_version, value, name) VALUES ('big', 9223372036854775807, CAST('blob' AS BLOB), 7), ('text', 'not a number', 3, NULL)");
    other.close();
    const table = (await open({ path })).table(metaV2Table);
    expect(table.all()).toEqual([
      { key: 'big', group_version_resource: '', namespace: '', name: '7', resource_version: 2 ** 63, value: 'blob' },
      { key: 'text', group_version_resource: '', namespace: '', name: '', resource_version: 0, value: '3' },
    ]);
  });

  it('[store-5.7] names the table and the keys when the primary key of the file is another one', async () => {
    const path = join(folder(), 'edgecore.db');
    const other = loadDriver().open(path);
    other.exec('CREATE TABLE meta (id integer PRIMARY KEY, key text, type text, value text)');
    other.close();
    const store = await open({ path });
    expect(() => store.table(metaTable)).toThrow(/meta .*primary key id, it must be key/);
  });

  it('[store-5.8] makes the file readable for its owner only, also one that Go left readable for all', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    store.table(subTopicsTable);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    const deep = join(folder(), 'a', 'b', 'edgecore.db');
    await open({ path: deep });
    expect(statSync(deep).mode & 0o777).toBe(0o600);
  });

  it('[store-5.9] does not write a row that is already as wanted', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    const meta = store.table(metaTable);
    await store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    const size = statSync(`${path}-wal`).size;
    for (const row of meta.all()) await store.commit(() => meta.put(row));
    expect(statSync(`${path}-wal`).size).toBe(size);
    await store.commit(() => meta.put({ key: 'k', type: 't', value: 'w' }));
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(size);
  });

  it('[store-5.10] writes a backup that stands alone, and replaces an older one', async () => {
    const path = copyOfGolden();
    const store = await open({ path });
    const meta = store.table(metaTable);
    const target = join(folder(), 'backup.db');
    const pending = store.commit(() => meta.put({ key: 'k', type: 't', value: 'v' }));
    await store.backupTo(target);
    await pending;
    await store.backupTo(target);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(ask(target, SCHEMA)).toEqual(ask(golden, SCHEMA));
    expect(ask(target, 'SELECT count(*) AS n FROM meta')).toEqual([{ n: 40 }]);
    expect(existsSync(`${target}.partial`)).toBe(false);
    await expect(store.backupTo(join(path, 'inside-a-file', 'x.db'))).rejects.toMatchObject({ code: 'store.cannot-open' });
  });
});
