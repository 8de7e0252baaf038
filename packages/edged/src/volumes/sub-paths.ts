import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, realpath, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { errorCode, errorText } from '@edge/core';
import { CannotStart } from '../errors.js';
import { isMountPoint, readMountTable } from './mount-table.js';
import type { Mounter } from './mounter.js';
import type { MountPlan } from './plan-mounts.js';

/** Of Linux: the descriptor names a place; opening it neither reads it nor follows a link at its end. */
const O_PATH = 0o10000000;
const STEP = O_PATH | constants.O_NOFOLLOW;

/**
 * Finds the place of a mount's sub path and makes it where it is missing. No link may lead out of the volume.
 * With a mounter what was checked is bound to a directory of the agent, so that a container that exchanges parts of the
 * path at this very moment gets nothing by it; without one the checked path itself is returned.
 * @param bound where to bind it, a path without links
 * @throws CannotStart `CreateContainerConfigError`
 */
export async function prepareSubPath(plan: MountPlan, bound: string, mounter: Mounter | undefined, signal?: AbortSignal): Promise<string> {
  const { volume, subPath } = plan;
  const path = join(volume.path, subPath);
  try {
    const place = await locate(volume.path, path);
    if (!place) throw leaves(plan);
    if (!mounter) {
      if (place.missing.length > 0) await mkdir(path, { recursive: true, mode: 0o755 });
      return path;
    }
    await using opened = await openPlace(place, plan);
    await bind(opened, bound, mounter, signal);
    return bound;
  } catch (error) {
    if (error instanceof CannotStart || signal?.aborted) throw error;
    throw new CannotStart('CreateContainerConfigError', `the subPath "${subPath}" of volume "${volume.name}" cannot be prepared: ${errorText(error)}`, { cause: error });
  }
}

interface Place {
  /** The volume, without links. */
  readonly inside: string;
  /** Steps below it that are there, without links. */
  readonly present: readonly string[];
  /** Further steps that have to be made. */
  readonly missing: readonly string[];
}

/** Where a path in a volume leads; undefined for out of it. */
async function locate(volume: string, path: string): Promise<Place | undefined> {
  const inside = await realpath(volume);
  const missing: string[] = [];
  for (let part = path; ; part = dirname(part)) {
    const found = await realpath(part).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined) {
      missing.unshift(part.slice(part.lastIndexOf('/') + 1));
      continue;
    }
    const below = relative(inside, found);
    if (below === '..' || below.startsWith('../')) return undefined;
    return { inside, present: below === '' ? [] : below.split('/'), missing };
  }
}

/** Opens step by step, each from the one before and without following links: what was checked is what is opened. */
async function openPlace({ inside, present, missing }: Place, plan: MountPlan): Promise<FileHandle> {
  let here = await open(inside, O_PATH | constants.O_DIRECTORY);
  try {
    const mode = (await here.stat()).mode & 0o2777;
    for (const part of [...present, ...missing]) {
      const next = await step(here, part, mode);
      await here.close();
      here = next;
      // A link where there was none a moment ago, or one that points to nothing.
      if ((await here.stat()).isSymbolicLink()) throw leaves(plan);
    }
    return here;
  } catch (error) {
    await here.close();
    throw error;
  }
}

/** @param mode for what has to be made: that of the volume, so that whoever may use it may use the sub path */
async function step(from: FileHandle, part: string, mode: number): Promise<FileHandle> {
  const path = `/proc/self/fd/${from.fd}/${part}`;
  try {
    return await open(path, STEP);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  await mkdir(path).catch(unlessPresent);
  const made = await open(path, STEP);
  // Not by the mode of mkdir, which the umask cuts.
  if ((await made.stat()).isDirectory()) await chmod(`/proc/self/fd/${made.fd}`, mode);
  return made;
}

async function bind(place: FileHandle, bound: string, mounter: Mounter, signal: AbortSignal | undefined): Promise<void> {
  const wanted = await place.stat();
  if (isMountPoint(await readMountTable(), bound)) {
    const present = await stat(bound);
    if (present.dev === wanted.dev && present.ino === wanted.ino) return;
    // Of an earlier run of the container; the file has been replaced since.
    await mounter.unmount(bound, true);
  }
  const found = await lstat(bound).catch(() => undefined);
  if (found && found.isDirectory() !== wanted.isDirectory()) await rm(bound, { recursive: true });
  await mkdir(wanted.isDirectory() ? bound : dirname(bound), { recursive: true, mode: 0o750 });
  if (!wanted.isDirectory()) await writeFile(bound, '', { flag: 'a' });
  await mounter.bindDescriptor(place.fd, bound, signal);
}

function leaves({ volume, subPath }: MountPlan): CannotStart {
  return new CannotStart('CreateContainerConfigError', `the subPath "${subPath}" leads out of volume "${volume.name}"`);
}

function unlessPresent(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}
