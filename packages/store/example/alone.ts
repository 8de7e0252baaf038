import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metaTable, type MetaRow } from '@edge/protocol';
import { printingLogger, printLine, stayIfAsked } from '@edge/testing';
import { availableDrivers, openStore } from '../src/index.js';

// A database in a temporary folder: rows are committed, a unit of work is undone, then the file is damaged and opened again.
const folder = await mkdtemp(join(tmpdir(), 'store-alone-'));
const path = join(folder, 'edgecore.db');
const log = printingLogger();
const row = (name: string): MetaRow => ({ key: `default/pod/${name}`, type: 'pod', value: JSON.stringify({ metadata: { name } }) });
printLine(`drivers: ${availableDrivers().join(', ')}`);
{
  await using store = await openStore({ path, log });
  printLine(`opened with ${store.report.driver}, SQLite ${store.report.sqlite}, new: ${store.report.created}`);
  const meta = store.table<MetaRow>(metaTable);
  await Promise.all(['web', 'db', 'cache'].map((name) => store.commit(() => meta.put(row(name)))));
  printLine(`on the disk: ${meta.all().map(({ key }) => key).join(', ')}`);
  const failed = await store.commit(() => {
    meta.put(row('half'));
    throw new Error('no second half');
  }).catch((error: Error) => error.message);
  printLine(`a unit that failed with "${String(failed)}" left ${meta.all().length} rows`);
}
await writeFile(path, 'this is no database');
printLine('the file is overwritten');
{
  await using store = await openStore({ path, log });
  printLine(`opened again with ${store.table<MetaRow>(metaTable).all().length} rows, the old file is kept as ${JSON.stringify(store.report.setAside?.path.slice(folder.length + 1))}`);
}
await stayIfAsked();
await rm(folder, { recursive: true });
