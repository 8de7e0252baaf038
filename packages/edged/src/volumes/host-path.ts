import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { errorCode } from '@edge/core';
import { edgedError } from '../errors.js';

const CHECKS: Readonly<Record<string, (found: Stats) => boolean>> = {
  Directory: (found) => found.isDirectory(),
  DirectoryOrCreate: (found) => found.isDirectory(),
  File: (found) => found.isFile(),
  FileOrCreate: (found) => found.isFile(),
  Socket: (found) => found.isSocket(),
  CharDevice: (found) => found.isCharacterDevice(),
  BlockDevice: (found) => found.isBlockDevice(),
};

/**
 * Makes sure that a path of the host is what the pod expects there.
 * @param type empty for no check
 * @throws EdgeError `edged.volume`
 */
export async function prepareHostPath(name: string, path: string, type: string): Promise<void> {
  if (type === '') return;
  const check = CHECKS[type];
  if (!check) throw edgedError('edged.volume', `volume "${name}": there is no host path type "${type}"`);
  const found = (await look(path)) ?? (await make(path, type));
  if (!found) throw edgedError('edged.volume', `volume "${name}": hostPath type check failed: ${path} does not exist and has to be of type ${type}`);
  if (!check(found)) throw edgedError('edged.volume', `volume "${name}": hostPath type check failed: ${path} is not of type ${type}`);
}

async function make(path: string, type: string): Promise<Stats | undefined> {
  if (type === 'DirectoryOrCreate') {
    await mkdir(path, { recursive: true });
    await chmod(path, 0o755);
  } else if (type === 'FileOrCreate') {
    // The directory has to be there, as with upstream.
    await writeFile(path, '', { flag: 'a' });
    await chmod(path, 0o644);
  }
  return look(path);
}

async function look(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
