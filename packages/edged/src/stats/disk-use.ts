import { statfs } from 'node:fs/promises';
import { sleep, type FilesystemUse } from '@edge/core';
import { directoryUse } from '../volumes/directory-use.js';

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

interface Known {
  readonly at: number;
  readonly use: FilesystemUse;
}

/** Times the age at which a figure is taken anew. */
const FORGOTTEN_AFTER = 10;
const NEVER = new AbortController().signal;

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

  /** Undefined when nothing is known in time. */
  async of(path: string, signal: AbortSignal): Promise<FilesystemUse | undefined> {
    const known = this.#known.get(path);
    if (known && Date.now() - known.at < this.#maxAgeMs) return known.use;
    const measured = this.#underWay.get(path) ?? this.#measure(path);
    const enough = new AbortController();
    const patience = sleep(this.#patienceMs, AbortSignal.any([signal, enough.signal])).then(() => this.#known.get(path)?.use, () => undefined);
    try {
      return await Promise.race([measured.catch(() => undefined), patience]);
    } finally {
      enough.abort();
    }
  }

  #measure(path: string): Promise<FilesystemUse> {
    // Goes on when nobody waits any more: the next one to ask gets what it found.
    const work = directoryUse(path, NEVER)
      .then(({ bytes, inodes }) => {
        const use = { usedBytes: bytes, inodesUsed: inodes };
        const now = Date.now();
        this.#known.set(path, { at: now, use });
        // Of pods that are gone.
        for (const [old, { at }] of this.#known) if (now - at > FORGOTTEN_AFTER * this.#maxAgeMs) this.#known.delete(old);
        return use;
      })
      .finally(() => this.#underWay.delete(path));
    this.#underWay.set(path, work);
    return work;
  }
}
