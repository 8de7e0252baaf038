import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { abortError, errorCode } from '@edge/core';

/** What a tree takes on its disk. */
export interface DirectoryUse {
  readonly bytes: number;
  readonly inodes: number;
}

const SIDE_BY_SIDE = 32;

/**
 * Adds up a tree as `du` does: blocks and not lengths, a file with several names once, other filesystems not at all.
 * A tree that is not there takes nothing.
 */
export async function directoryUse(top: string, signal: AbortSignal): Promise<DirectoryUse> {
  const seen = new Set<number>();
  let bytes = 0;
  let device: number | undefined;
  const directories: string[] = [];
  const look = async (path: string): Promise<void> => {
    const found = await lstat(path).catch(unlessGone);
    if (!found) return;
    device ??= found.dev;
    if (found.dev !== device || seen.has(found.ino)) return;
    seen.add(found.ino);
    bytes += found.blocks * 512;
    if (found.isDirectory()) directories.push(path);
  };
  await look(top);
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    if (signal.aborted) throw abortError(signal);
    const opened = await opendir(directory).catch(unlessGone);
    if (!opened) continue;
    let batch: Promise<void>[] = [];
    for await (const { name } of opened) {
      batch.push(look(join(directory, name)));
      if (batch.length < SIDE_BY_SIDE) continue;
      await Promise.all(batch);
      batch = [];
    }
    await Promise.all(batch);
  }
  return { bytes, inodes: seen.size };
}

function unlessGone(error: unknown): undefined {
  if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
  throw error;
}
