import { lstat, readFile, readlink, rename, rm } from 'node:fs/promises';
import { errorCode } from '@edge/core';
import { replaceFile } from '@edge/upgrade';

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
  await replaceFile(path, text, mode);
  return true;
}

/** Whether a file is there that `writeOwnFile` wrote. */
export async function isOwnFile(path: string): Promise<boolean> {
  return (await readText(path))?.includes(OWN_LINE) ?? false;
}

/** Removes a file of ours, and puts back what had been there before. Of somebody else it stays. */
export async function removeOwnFile(path: string): Promise<boolean> {
  if (!(await isOwnFile(path))) return false;
  await rm(path);
  await restoreReplaced(path);
  return true;
}

/** Sets aside what stands where a link of ours is to be, unless it is that: `npm install --global` puts one of its own there. */
export async function setAsideForLink(path: string, target: string): Promise<void> {
  const there = await lstat(path).catch(unlessAbsent);
  if (there === undefined || (there.isSymbolicLink() && (await readlink(path)) === target)) return;
  await rename(path, path + REPLACED);
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
