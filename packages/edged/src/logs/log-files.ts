import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '@edge/core';

/** What belongs to a log besides the file itself; names without folder. */
export interface RotatedLogs {
  /** Earlier parts, packed or not, the oldest first. */
  readonly parts: readonly string[];
  /** What a rotation that was cut short has left behind. */
  readonly unused: readonly string[];
}

const PART = /^\d{8}-\d{6}(?:\.gz)?$/;
export const PACKED = '.gz';
export const UNFINISHED = '.tmp';

/** Sorts the files of a folder that begin with the name of a log. Pure. */
export function rotatedLogs(log: string, names: readonly string[]): RotatedLogs {
  const present = new Set(names);
  const parts: string[] = [];
  const unused: string[] = [];
  for (const name of names) {
    if (!name.startsWith(`${log}.`)) continue;
    const rest = name.slice(log.length + 1);
    // Packed completely: the rename to the packed name came before the removal of the plain one.
    if (rest.endsWith(UNFINISHED) || present.has(`${name}${PACKED}`)) unused.push(name);
    else if (PART.test(rest)) parts.push(name);
  }
  return { parts: parts.sort(), unused };
}

/** `20260131-235959`, in UTC so that the order of names is that of time. */
export function partStamp(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`;
}

/** Removes a log with all its parts; what is not there is fine. */
export async function removeLog(path: string): Promise<void> {
  const { parts, unused } = rotatedLogs(basename(path), await listFolder(dirname(path)));
  await Promise.all([basename(path), ...parts, ...unused].map((name) => rm(join(dirname(path), name), { force: true })));
}

/** Names in a folder; none when there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
