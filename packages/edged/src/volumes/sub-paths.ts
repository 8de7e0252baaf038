import { mkdir, realpath } from 'node:fs/promises';
import type { Mount } from '@edge/core';
import { errorCode } from '@edge/core';
import { edgedError } from '../errors.js';
import type { VolumePlan } from './plan-volumes.js';

/**
 * Makes what mounts with a `subPath` point to, where it is missing, and makes sure that no link in it leads out of its volume.
 * @throws EdgeError `edged.container-config`
 */
export async function prepareSubPaths(mounts: readonly Mount[], volumes: readonly VolumePlan[]): Promise<void> {
  for (const { hostPath } of mounts) {
    const volume = volumes.find(({ path }) => hostPath.startsWith(`${path}/`));
    if (!volume || volumes.some(({ path }) => path === hostPath)) continue;
    const inside = await realpath(volume.path);
    const target = (await real(hostPath)) ?? (await make(hostPath, inside, volume));
    if (!isBelow(target, inside)) throw leaves(hostPath, volume);
  }
}

/** Checks before making anything: a link in the middle must not have directories made elsewhere. */
async function make(path: string, inside: string, volume: VolumePlan): Promise<string> {
  let parent = path;
  let present: string | undefined;
  while (present === undefined) {
    parent = parent.slice(0, parent.lastIndexOf('/'));
    present = await real(parent);
  }
  if (present !== inside && !isBelow(present, inside)) throw leaves(path, volume);
  await mkdir(path, { recursive: true, mode: 0o755 });
  return realpath(path);
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function leaves(path: string, volume: VolumePlan): Error {
  return edgedError('edged.container-config', `${path} leads out of volume "${volume.name}"`);
}

async function real(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
