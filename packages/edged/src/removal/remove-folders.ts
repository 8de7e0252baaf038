import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '@edge/core';
import type { Mounter } from '../volumes/mounter.js';
import { removeVolumes, unmountBelow } from '../volumes/tear-down.js';
import type { Removal } from './remove-sandboxes.js';

/** Names of pods' folders; what else lies there is not the agent's. */
const POD_FOLDER = /^[\w-][\w.-]*$/;

/** Removes what the agent keeps for pods below its root directory, after unmounting. What is no pod's stays, with the folder that it is in. */
export async function removePodFolders(root: string, mounter: Mounter | undefined, signal: AbortSignal): Promise<Removal> {
  const removed: string[] = [];
  const left: string[] = [];
  const pods = join(root, 'pods');
  for (const name of (await folders(pods)).filter((one) => POD_FOLDER.test(one))) {
    try {
      const folder = join(pods, name);
      const kept = await removeVolumes(folder, mounter, signal);
      left.push(...kept);
      if (kept.length === 0) await rm(folder, { recursive: true, force: true });
    } catch (error) {
      left.push(errorText(error));
    }
  }
  const staging = join(root, 'plugins', 'kubernetes.io', 'csi');
  await unmountBelow(staging, mounter, signal).catch((error: unknown) => left.push(errorText(error)));
  await removeStaging(staging);
  if (left.length === 0) await rm(join(root, 'process-runtime'), { recursive: true, force: true });
  for (const folder of [pods, staging, join(root, 'plugins', 'kubernetes.io'), join(root, 'plugins'), join(root, 'plugins_registry')]) {
    if (await removeEmpty(folder)) removed.push(folder);
  }
  return { removed, left };
}

/** `<driver>/<volume>/globalmount` with the note beside it; whatever holds something else stays. */
async function removeStaging(staging: string): Promise<void> {
  for (const driver of await folders(staging)) {
    for (const volume of await folders(join(staging, driver))) {
      const folder = join(staging, driver, volume);
      if (await removeEmpty(join(folder, 'globalmount'))) await rm(join(folder, 'vol_data.json'), { force: true });
      await removeEmpty(folder);
    }
    await removeEmpty(join(staging, driver));
  }
}

/** True when the folder was there and is gone. */
export async function removeEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOTDIR'].includes(errorCode(error))) return false;
    throw error;
  }
}

async function folders(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
