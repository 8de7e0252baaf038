import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@edge/core';

export interface DirectoryUse {
  readonly bytes: bigint;
  readonly inodes: bigint;
}

/**
 * What a directory and everything below it takes on its own file system. Other file systems mounted in it do not count,
 * a file with several names counts once, and what disappears while we look does not count.
 */
export async function directoryUse(path: string, signal: AbortSignal): Promise<DirectoryUse> {
  const root = await look(path);
  let bytes = 0n;
  let inodes = 0n;
  if (!root) return { bytes, inodes };
  const linked = new Set<bigint>();
  const waiting = [path];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    signal.throwIfAborted();
    const own = directory === path ? root : await look(directory);
    if (!own || own.dev !== root.dev) continue;
    bytes += own.blocks * 512n;
    inodes += 1n;
    for (const entry of await entries(directory)) {
      const below = join(directory, entry.name);
      if (entry.isDirectory()) {
        waiting.push(below);
        continue;
      }
      const found = await look(below);
      if (!found || found.dev !== root.dev || linked.has(found.ino)) continue;
      if (found.nlink > 1n) linked.add(found.ino);
      bytes += found.blocks * 512n;
      inodes += 1n;
    }
  }
  return { bytes, inodes };
}

/** Undefined when it is not there. */
async function look(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function entries(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
