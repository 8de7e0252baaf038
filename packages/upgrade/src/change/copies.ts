import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../disk/files.js';

/** SQLite's log beside a database: what an agent that was killed has committed may be there alone. */
const LOG = '-wal';
const SHARED_MEMORY = '-shm';

/** Names in a copy's folder, upstream's, whatever the files are called. */
const DATABASE = 'edgecore.db';
const CONFIGURATION = 'edgecore.yaml';

/** Where the agent's data are. */
export interface DataPaths {
  readonly database: string;
  readonly configuration: string;
}

/** Copies the data of an agent that does not run to a folder, durably. A copy that was there goes when the new one is whole. */
export async function copyData(data: DataPaths, folder: string): Promise<void> {
  const next = `${folder}.next`;
  await rm(next, { recursive: true, force: true });
  await mkdir(next, { recursive: true, mode: 0o700 });
  await copyOne(data.configuration, join(next, CONFIGURATION));
  await copyDatabase(data.database, join(next, DATABASE));
  await syncFolder(next);
  await rm(folder, { recursive: true, force: true });
  await rename(next, folder);
  await syncFolder(dirname(folder));
}

/** Whether there is a whole copy. */
export function hasCopy(folder: string): boolean {
  return existsSync(join(folder, CONFIGURATION)) && existsSync(join(folder, DATABASE));
}

/** Puts a copy back. The database that was in its place is kept beside it: what waits in it for the cloud is not lost for good. */
export async function restoreData(data: DataPaths, folder: string, asideSuffix: string): Promise<void> {
  const aside = `${data.database}.${asideSuffix}`;
  if (existsSync(data.database) && !existsSync(aside)) {
    if (existsSync(data.database + LOG)) await rename(data.database + LOG, aside + LOG);
    await rename(data.database, aside);
  }
  for (const suffix of [LOG, SHARED_MEMORY]) await rm(data.database + suffix, { force: true });
  await copyDatabase(join(folder, DATABASE), data.database);
  await copyOne(join(folder, CONFIGURATION), data.configuration);
}

/** Bytes that a copy takes. */
export async function sizeOfData(data: DataPaths): Promise<number> {
  const sizes = [data.configuration, data.database, data.database + LOG].map(async (path) => (existsSync(path) ? (await stat(path)).size : 0));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function copyDatabase(from: string, to: string): Promise<void> {
  // The log first: a database without it is an older one, a log without its database is none.
  if (existsSync(from + LOG)) await copyOne(from + LOG, to + LOG);
  if (existsSync(from)) await copyOne(from, to);
}

/** By way of a file beside it, with the original's mode and owner. */
async function copyOne(from: string, to: string): Promise<void> {
  const next = `${to}.next`;
  await rm(next, { force: true });
  await copyFile(from, next, constants.COPYFILE_FICLONE);
  {
    await using file = await open(next, 'r+');
    const { mode, uid, gid } = await stat(from);
    await file.chmod(mode & 0o7777);
    await file.chown(uid, gid);
    await file.sync();
  }
  await rename(next, to);
  await syncFolder(dirname(to));
}
