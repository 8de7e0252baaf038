import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '@edge/core';
import type { Payload } from './payload.js';

const DATA = '..data';

/**
 * Brings the files of a volume up to date so that a reader sees either all old or all new ones: they are written to a
 * directory of their own, and the link `..data` is swapped. What users see are links into `..data`.
 * Returns false when nothing had to change.
 */
export async function writePayload(volume: string, payload: Payload): Promise<boolean> {
  await mkdir(volume, { recursive: true });
  const current = await linkTarget(join(volume, DATA));
  if (current !== undefined && (await holds(join(volume, current), payload))) {
    // A crash may have come between the swap and the links.
    await showNames(volume, payload);
    return false;
  }
  const fresh = `..${stamp(new Date())}.${randomBytes(5).toString('hex')}`;
  await mkdir(join(volume, fresh), { mode: 0o755 });
  for (const [path, file] of payload) {
    const target = join(volume, fresh, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, file.data);
    // Not by the mode of writeFile, which the umask cuts.
    await chmod(target, file.mode);
  }
  const link = join(volume, `${DATA}_tmp`);
  await rm(link, { force: true });
  await symlink(fresh, link);
  await rename(link, join(volume, DATA));
  await showNames(volume, payload);
  await removeOld(volume, fresh);
  return true;
}

async function holds(directory: string, payload: Payload): Promise<boolean> {
  const present = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (present === undefined) return false;
  if (present.filter((entry) => !entry.isDirectory()).length !== payload.size) return false;
  for (const [path, file] of payload) {
    try {
      const target = join(directory, path);
      const { mode } = await lstat(target);
      if ((mode & 0o777) !== file.mode || !(await readFile(target)).equals(file.data)) return false;
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
