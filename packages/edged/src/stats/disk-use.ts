import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesystemUse } from '@edge/core';
import { sleep } from '@edge/core';

/** A file system: sizes in bytes. */
export interface FilesystemState {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** @throws when the path is not there */
export async function filesystemState(path: string): Promise<FilesystemState> {
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(path);
  return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize, usedBytes: (blocks - bfree) * bsize, inodes: files, inodesFree: ffree };
}

/**
 * What the files below a path take on disk, as `du` counts: holes are free, a file with several names counts once, other
 * file systems mounted inside are left out. Nothing for a path that is not there; what vanishes meanwhile is not counted.
 */
export async function measureDisk(path: string): Promise<FilesystemUse> {
  const top = await lstat(path).catch(() => undefined);
  if (!top) return { usedBytes: 0, inodesUsed: 0 };
  const several = new Set<number>();
  let usedBytes = top.blocks * 512;
  let inodesUsed = 1;
  const folders = top.isDirectory() ? [path] : [];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await opendir(folder).catch(() => undefined);
    if (!entries) continue;
    for await (const { name } of entries) {
      const below = join(folder, name);
      const found = await lstat(below).catch(() => undefined);
      if (!found || found.dev !== top.dev) continue;
      if (found.isDirectory()) folders.push(below);
      else if (found.nlink > 1) {
        if (several.has(found.ino)) continue;
        several.add(found.ino);
      }
      usedBytes += found.blocks * 512;
      inodesUsed += 1;
    }
  }
  return { usedBytes, inodesUsed };
}

interface Known {
  readonly at: number;
  readonly use: FilesystemUse;
}

/** Measures directories no more often than it should; who asks in between gets the last figures. */
export class DiskUse {
  readonly #maxAgeMs: number;
  readonly #patienceMs: number;
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Map<string, Promise<FilesystemUse>>();

  /** @param deps.patienceMs a directory that takes longer than this is reported with its last figures, and with the new ones the next time */
  constructor(deps: { maxAgeMs: number; patienceMs?: number }) {
    this.#maxAgeMs = deps.maxAgeMs;
    this.#patienceMs = deps.patienceMs ?? 2000;
  }

  /** Undefined when the first measurement is not done in time. */
  async of(path: string, signal: AbortSignal): Promise<FilesystemUse | undefined> {
    const known = this.#known.get(path);
    if (known && Date.now() - known.at < this.#maxAgeMs) return known.use;
    const measured = this.#underWay.get(path) ?? this.#measure(path);
    const enough = new AbortController();
    const patience = sleep(this.#patienceMs, AbortSignal.any([signal, enough.signal])).then(() => this.#known.get(path)?.use, () => undefined);
    try {
      return await Promise.race([measured, patience]);
    } finally {
      enough.abort();
    }
  }

  /** Forgets all that is not asked for any more. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }

  #measure(path: string): Promise<FilesystemUse> {
    const work = measureDisk(path)
      .then((use) => {
        this.#known.set(path, { at: Date.now(), use });
        return use;
      })
      .finally(() => this.#underWay.delete(path));
    this.#underWay.set(path, work);
    return work;
  }
}
