import { readFile } from 'node:fs/promises';
import { errorCode } from '@edge/core';

/** One line of `/proc/self/mountinfo`. */
export interface MountEntry {
  readonly mountPoint: string;
  /** Directory of the filesystem that is mounted there; other than `/` for bind mounts. */
  readonly root: string;
  /** `tmpfs`, `nfs4`, `ext4`, … */
  readonly filesystem: string;
  readonly source: string;
  /** `shared`: mounts made below it are seen in other namespaces and theirs here; `slave`: theirs are seen here. */
  readonly propagation: 'shared' | 'slave' | 'private';
}

/** Reads the text of `/proc/self/mountinfo`, in the order of mounting. */
export function parseMountTable(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    // Between the sixth field and a lone "-" stands any number of tags.
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, mountPoint, , ...tags] = before.split(' ');
    const [filesystem, source] = after.split(' ');
    if (root === undefined || mountPoint === undefined || filesystem === undefined) return [];
    const has = (tag: string): boolean => tags.some((one) => one.startsWith(`${tag}:`));
    const propagation = has('shared') ? 'shared' : has('master') ? 'slave' : 'private';
    return { mountPoint: plain(mountPoint), root: plain(root), filesystem, source: plain(source ?? ''), propagation };
  });
}

/** What is mounted now. Empty on systems without `/proc`. */
export async function readMountTable(): Promise<MountEntry[]> {
  try {
    return parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** What is mounted at a directory or below it, in the order in which it has to be unmounted. */
export function mountsBelow(table: readonly MountEntry[], directory: string): MountEntry[] {
  return table.filter(({ mountPoint }) => mountPoint === directory || mountPoint.startsWith(`${directory}/`)).reverse();
}

/** The mount that a path lies in. */
export function mountOf(table: readonly MountEntry[], path: string): MountEntry | undefined {
  const holds = ({ mountPoint }: MountEntry): boolean => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
  return table.filter(holds).reduce<MountEntry | undefined>((best, one) => (best && best.mountPoint.length > one.mountPoint.length ? best : one), undefined);
}

export function isMountPoint(table: readonly MountEntry[], path: string): boolean {
  return table.some(({ mountPoint }) => mountPoint === path);
}

/** Blanks, tabs, line breaks and backslashes stand there as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
