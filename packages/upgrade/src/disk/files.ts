import { constants } from 'node:fs';
import { mkdir, open, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '@edge/core';

/** Makes what was made, renamed or removed in a folder survive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

/** Writes a file that a reader sees whole or not at all, also after a loss of power; its folder is made. */
export async function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const next = join(dirname(path), `.${basename(path)}.${process.pid}.next`);
  try {
    {
      await using file = await open(next, 'w', mode);
      await file.writeFile(content);
      await file.chmod(mode);
      await file.sync();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Lets a link point somewhere else in one step, also when power is lost meanwhile. */
export async function replaceLink(path: string, target: string): Promise<void> {
  if ((await linkTarget(path)) === target) return;
  const next = `${path}.next`;
  await rm(next, { force: true });
  await symlink(target, next);
  await rename(next, path);
  await syncFolder(dirname(path));
}

/** What a link points to; `undefined` when there is none. */
export async function linkTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EINVAL') return undefined;
    throw error;
  });
}

/** Removes a file for good; that it is not there is no error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A file's text, or `undefined` when it is absent. */
export async function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/** A file's value, or `undefined` when it is absent or no JSON, which a disk that failed may leave. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
