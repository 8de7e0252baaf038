import { readdir, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode } from '@edge/core';
import type { Layout } from './layout.js';

/**
 * Removes an installation: what is named as its parts are, and drafts of them. What others have put into the folder stays, and
 * the folder with it. The agent has to be stopped.
 * @returns whether anything was removed
 */
export async function removeInstallation(layout: Layout): Promise<boolean> {
  const { root, ...parts } = layout;
  const names = new Set(Object.values(parts).map((path) => basename(path)));
  const isOurs = (entry: string): boolean => names.has(entry) || names.has(entry.replace(/^\./, '').replace(/(\.\d+)?(\.next|\.dead)?$/, ''));
  const entries = await readdir(root).catch(unless('ENOENT', 'ENOTDIR'));
  const ours = entries?.filter(isOurs) ?? [];
  for (const entry of ours) await rm(join(root, entry), { recursive: true, force: true });
  await rmdir(root).catch(unless('ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY'));
  return ours.length > 0;
}

function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (codes.includes(errorCode(error))) return undefined;
    throw error;
  };
}
