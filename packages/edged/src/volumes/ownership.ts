import type { Stats } from 'node:fs';
import { chmod, lchown, lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { abortError, errorCode } from '@edge/core';
import type { Pod } from '@edge/protocol';

/** Who owns the files in a pod's volumes. */
export interface PodOwnership {
  readonly fsGroup?: number;
  /** The one user that all containers run as, when it is known without their images. */
  readonly user?: number;
  /** Leave a tree alone whose top is right. */
  readonly onlyOnMismatch: boolean;
}

const SET_GID = 0o2000;
const PERMISSIONS = 0o7777;
/** Files looked at side by side: the disk is kept busy, other work of this process gets its turn. */
const SIDE_BY_SIDE = 32;

export function podOwnership({ spec }: Pod): PodOwnership {
  const { fsGroup, fsGroupChangePolicy, runAsUser } = spec.securityContext ?? {};
  const users = new Set([...(spec.initContainers ?? []), ...spec.containers].map(({ securityContext }) => securityContext?.runAsUser ?? runAsUser));
  const [user] = users;
  return {
    ...(fsGroup === undefined ? {} : { fsGroup }),
    ...(users.size === 1 && user !== undefined ? { user } : {}),
    onlyOnMismatch: fsGroupChangePolicy === 'OnRootMismatch',
  };
}

/** Permission bits that let a group use a file or directory; read-only volumes need no more than reading. */
export function groupMode(mode: number, kind: 'file' | 'directory', readOnly: boolean): number {
  return (mode & PERMISSIONS) | (readOnly ? 0o440 : 0o660) | (kind === 'directory' ? SET_GID | 0o110 : 0);
}

/**
 * Gives a tree to a group, with the permissions that the group needs. What is right already is not written. Links are
 * not followed.
 * @throws errors of the filesystem; files that vanish meanwhile are passed over
 */
export async function giveToGroup(top: string, gid: number, options: { readonly onlyOnMismatch: boolean }, signal: AbortSignal): Promise<void> {
  const found = await lstat(top);
  if (options.onlyOnMismatch && isRight(found, gid)) return;
  const directories = [top];
  let batch: Promise<void>[] = [];
  const flush = async (): Promise<void> => {
    await Promise.all(batch);
    batch = [];
  };
  const visited: string[] = [];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    visited.push(directory);
    for await (const entry of await opendir(directory)) {
      if (signal.aborted) throw abortError(signal);
      const path = join(directory, entry.name);
      if (entry.isDirectory()) directories.push(path);
      else batch.push(giveOne(path, gid));
      if (batch.length >= SIDE_BY_SIDE) await flush();
    }
  }
  await flush();
  // Directories last and the top at the very end: a top that is right has to mean that all was done.
  for (const directory of visited.reverse()) await giveOne(directory, gid);
}

async function giveOne(path: string, gid: number): Promise<void> {
  try {
    const found = await lstat(path);
    if (isRight(found, gid)) return;
    if (found.gid !== gid) await lchown(path, found.uid, gid);
    // The mode after the group: a change of owner takes the set-group-id bit away.
    if (!found.isSymbolicLink()) await chmod(path, wanted(found));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function isRight(found: Stats, gid: number): boolean {
  return found.gid === gid && (found.isSymbolicLink() || (found.mode & PERMISSIONS) === wanted(found));
}

function wanted(found: Stats): number {
  return groupMode(found.mode, found.isDirectory() ? 'directory' : 'file', false);
}
