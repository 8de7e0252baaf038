import { readdir, readlink, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { errorCode } from '@edge/core';
import { removeEmpty } from './remove-folders.js';
import type { Removal } from './remove-sandboxes.js';

/** `<namespace>_<name>_<uid>`: names of Kubernetes hold no underscore. */
const LOG_FOLDER = /^[a-z0-9.-]+_[a-z0-9.-]+_[\w.-]+$/;

/** Removes the logs of pods and the links by which collectors find them. What has another name, or leads elsewhere, stays. */
export async function removeLogs(podLogsDir: string): Promise<Removal> {
  const links = join(dirname(podLogsDir), 'containers');
  for (const entry of await list(links)) {
    const path = join(links, entry.name);
    if (entry.isSymbolicLink() && (await readlink(path)).startsWith(podLogsDir + sep)) await rm(path, { force: true });
  }
  for (const entry of await list(podLogsDir)) {
    if (entry.isDirectory() && LOG_FOLDER.test(entry.name)) await rm(join(podLogsDir, entry.name), { recursive: true, force: true });
  }
  const removed = [];
  for (const folder of [podLogsDir, links]) if (await removeEmpty(folder)) removed.push(folder);
  return { removed, left: [] };
}

async function list(folder: string): Promise<import('node:fs').Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
