import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@edge/core';

/** What stood in the place of something of ours keeps its content under this ending until ours goes. */
const REPLACED = '.replaced';

/** By this line of a file we know that it is ours. */
export const OWN_LINE = 'Written by "edgecore install"; "edgecore uninstall" removes it.';

/**
 * Writes a file of ours. What somebody else had put there is set aside.
 * @returns whether the content is new
 */
export async function writeOwnFile(path: string, text: string, mode: number): Promise<boolean> {
  const before = await readText(path);
  if (before === text) return false;
  if (before !== undefined && !before.includes(OWN_LINE)) await rename(path, path + REPLACED);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.next`, text, { mode });
  await rename(`${path}.next`, path);
  return true;
}

/** Removes a file of ours, and puts back what had been there before. Of somebody else it stays. */
export async function removeOwnFile(path: string): Promise<boolean> {
  if (!(await readText(path))?.includes(OWN_LINE)) return false;
  await rm(path);
  await restoreReplaced(path);
  return true;
}

/** Sets aside what stands where a link of ours is to be, unless it is one. */
export async function setAsideForLink(path: string): Promise<void> {
  const there = await lstat(path).catch(unlessAbsent);
  if (there !== undefined && !there.isSymbolicLink()) await rename(path, path + REPLACED);
}

/** Puts back what was set aside. */
export async function restoreReplaced(path: string): Promise<void> {
  await rename(path + REPLACED, path).catch(unlessAbsent);
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(unlessAbsent);
}

function unlessAbsent(error: unknown): undefined {
  if (errorCode(error) === 'ENOENT') return undefined;
  throw error;
}
