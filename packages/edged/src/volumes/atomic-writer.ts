import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '@edge/core';
import { groupMode } from './ownership.js';
import type { Payload } from './payload.js';

const DATA = '..data';
const DIRECTORY_MODE = 0o755;
/** An owner or group that stays as it is. */
const KEEP = -1;

/**
 * Brings the files of a volume up to date so that a reader sees either all old or all new ones: they are written to a
 * directory of their own, and the link `..data` is swapped. What users see are links into `..data`.
 * Returns false when nothing had to change.
 * @param gid group of everything in the volume; undefined for that of the agent
 */
export async function writePayload(volume: string, payload: Payload, gid?: number): Promise<boolean> {
  await mkdir(volume, { recursive: true });
  const current = await linkTarget(join(volume, DATA));
  if (current !== undefined && (await holds(join(volume, current), payload, gid))) {
    // A crash may have come between the swap and the links.
    await showNames(volume, payload);
    return false;
  }
  const fresh = `..${stamp(new Date())}.${randomBytes(5).toString('hex')}`;
  await writeFiles(join(volume, fresh), payload, gid);
  await setDirectory(volume, gid);
  const link = join(volume, `${DATA}_tmp`);
  await rm(link, { force: true });
  await symlink(fresh, link);
  await rename(link, join(volume, DATA));
  await showNames(volume, payload);
  await removeOld(volume, fresh);
  return true;
}

async function writeFiles(top: string, payload: Payload, gid: number | undefined): Promise<void> {
  const directories = new Set([top]);
  for (const path of payload.keys()) {
    for (let directory = dirname(path); directory !== '.'; directory = dirname(directory)) directories.add(join(top, directory));
  }
  for (const directory of [...directories].sort()) {
    await mkdir(directory);
    await setDirectory(directory, gid);
  }
  for (const [path, { data, mode, uid }] of payload) {
    const target = join(top, path);
    await writeFile(target, data, { mode: 0o600 });
    if (uid !== undefined || gid !== undefined) await chown(target, uid ?? KEEP, gid ?? KEEP);
    // Not by the mode of writeFile, which the umask cuts, and after the owner.
    await chmod(target, mode);
  }
}

async function setDirectory(path: string, gid: number | undefined): Promise<void> {
  if (gid !== undefined) await chown(path, KEEP, gid);
  await chmod(path, gid === undefined ? DIRECTORY_MODE : groupMode(DIRECTORY_MODE, 'directory', true));
}

async function holds(directory: string, payload: Payload, gid: number | undefined): Promise<boolean> {
  const present = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (present === undefined) return false;
  if (present.filter((entry) => !entry.isDirectory()).length !== payload.size) return false;
  for (const [path, file] of payload) {
    try {
      const target = join(directory, path);
      const found = await lstat(target);
      if ((found.mode & 0o777) !== file.mode || found.uid !== (file.uid ?? found.uid) || found.gid !== (gid ?? found.gid)) return false;
      if (!(await readFile(target)).equals(file.data)) return false;
    } catch {
      // Not there or not readable: it has to be written.
      return false;
    }
  }
  return true;
}

/** Links for the first segments of all paths; links of files that are gone disappear. */
async function showNames(volume: string, payload: Payload): Promise<void> {
  const names = new Set([...payload.keys()].map((path) => path.split('/')[0] as string));
  for (const entry of await readdir(volume)) {
    if (!entry.startsWith('..') && !names.has(entry)) await rm(join(volume, entry), { force: true, recursive: true });
  }
  for (const name of names) {
    const target = `${DATA}/${name}`;
    if ((await linkTarget(join(volume, name))) === target) continue;
    await rm(join(volume, name), { force: true, recursive: true });
    await symlink(target, join(volume, name));
  }
}

async function removeOld(volume: string, current: string): Promise<void> {
  for (const entry of await readdir(volume)) {
    if (entry.startsWith('..') && entry !== DATA && entry !== current) await rm(join(volume, entry), { force: true, recursive: true });
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/** `2026_11_22_02_00_04`. */
function stamp(now: Date): string {
  return now.toISOString().slice(0, 19).replace(/[-T:]/g, '_');
}
