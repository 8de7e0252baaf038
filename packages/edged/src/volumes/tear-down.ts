import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, sleep } from '@edge/core';
import { edgedError } from '../errors.js';
import { OWN_FOLDERS } from './layout.js';
import { mountsBelow, readMountTable, type MountEntry } from './mount-table.js';
import type { Mounter } from './mounter.js';

/** Somebody may look into a volume at the very moment; after so many tries with a short pause it is taken away from him. */
const TRIES = 3;
const PAUSE_MS = 150;

/**
 * Unmounts everything at and below a directory.
 * @throws EdgeError `edged.mount` when something stays mounted
 */
export async function unmountBelow(directory: string, mounter: Mounter | undefined, signal: AbortSignal): Promise<void> {
  for (const entry of mountsBelow(await readMountTable(), directory)) {
    if (mounter) await unmountOne(entry, mounter, signal);
  }
  const [left] = mountsBelow(await readMountTable(), directory);
  if (left) throw edgedError('edged.mount', `${left.mountPoint} is still mounted (${left.filesystem} of ${left.source})`);
}

async function unmountOne(entry: MountEntry, mounter: Mounter, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await mounter.unmount(entry.mountPoint, attempt > TRIES);
    } catch (error) {
      // What is written to a server or a disk must be known to have arrived there.
      if (attempt > TRIES || (attempt === TRIES && !isHarmlessToDetach(entry))) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}

/** Memory of the pod alone, or another view of what stays mounted elsewhere. */
function isHarmlessToDetach({ filesystem, root }: MountEntry): boolean {
  return filesystem === 'tmpfs' || filesystem === 'hugetlbfs' || root !== '/';
}

/**
 * Removes the directories of a pod's volumes, after unmounting. What is not the pod's own is removed only when empty.
 * Returns what could not be removed, with the reason.
 * @throws EdgeError `edged.mount` when something stays mounted; nothing has been removed then
 */
export async function removeVolumes(podDirectory: string, mounter: Mounter | undefined, signal: AbortSignal): Promise<string[]> {
  await unmountBelow(podDirectory, mounter, signal);
  const left: string[] = [];
  const volumes = join(podDirectory, 'volumes');
  for (const folder of await entries(volumes)) {
    if (OWN_FOLDERS.includes(folder)) await rm(join(volumes, folder), { recursive: true, force: true });
    else left.push(...(await removeEmpty(join(volumes, folder))));
  }
  if (left.length === 0) await rm(volumes, { recursive: true, force: true });
  for (const own of ['volume-subpaths', 'plugins']) await rm(join(podDirectory, own), { recursive: true, force: true });
  return left;
}

async function removeEmpty(folder: string): Promise<string[]> {
  const left: string[] = [];
  for (const name of await entries(folder)) {
    await rmdir(join(folder, name)).catch((error: unknown) => {
      left.push(`${join(folder, name)}: ${errorText(error)}`);
    });
  }
  if (left.length === 0) await rmdir(folder);
  return left;
}

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
