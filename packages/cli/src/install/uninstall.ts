import { existsSync } from 'node:fs';
import { lstat, readlink, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EdgeError, errorCode } from '@edge/core';
import { layoutOf, ParentService, readJournal, readPlace, removeInstallation, type Layout, type ServiceKind } from '@edge/upgrade';
import { isOwnFile, removeOwnFile, restoreReplaced } from './own-file.js';
import type { Places } from './places.js';
import { managerOf } from './service-choice.js';

/** As long as the service gives it. */
const STOP_MS = 60_000;

/**
 * Stops the agent for good: its service first, then what still runs of the installation.
 * @throws EdgeError `cli.install` while a change of the version is under way; `upgrade.service`
 */
export async function stopAgent(places: Places): Promise<void> {
  const layout = layoutOf(places.installation);
  if (!existsSync(layout.place)) return;
  await mustNotChange(layout);
  // A service of that name that somebody else has put in the place of ours is not ours to stop.
  if (places.root === undefined && (await hasOwnService(places))) await managerOf(await serviceOf(layout))?.stop();
  // Whoever starts it else (a container's restart policy, a shell) is kept from it as long as this process lives.
  await new ParentService({ layout, stopMs: STOP_MS }).stop();
}

/** @throws EdgeError `cli.install` while a change of the version is under way */
export async function mustNotChange(layout: Layout): Promise<void> {
  const journal = await readJournal(layout);
  if (journal !== undefined) throw new EdgeError('cli.install', `a change from version ${journal.from} to ${journal.to} is under way: wait until it has come to its end (a minute or two)`);
}

/**
 * Takes service, launcher and all versions away; configuration, certificates, database and pods stay. What had been in their
 * places before is put back. The agent has to be stopped.
 * @returns what was removed
 */
export async function uninstall(places: Places): Promise<string[]> {
  const layout = layoutOf(places.installation);
  const removed: string[] = [];
  const manager = places.root === undefined && existsSync(layout.place) ? managerOf(await serviceOf(layout)) : undefined;
  const ours = await hasOwnService(places);
  if (ours) await manager?.unregister();
  for (const path of [places.unit, places.script]) if (await removeOwnFile(path)) removed.push(path);
  if (ours) await manager?.forget();
  if (await isLinkTo(places.program, layout.launcher)) {
    await rm(places.program);
    await restoreReplaced(places.program);
    removed.push(places.program);
  }
  if (await removeInstallation(layout)) removed.push(layout.root);
  return removed;
}

/** Removes folders that have become empty, from the inside out, up to one that has not or that is not of the list. */
export async function removeEmptyFolders(folders: readonly string[]): Promise<void> {
  for (const folder of [...new Set(folders)].sort((a, b) => b.length - a.length)) {
    await rmdir(folder).catch((error: unknown) => {
      if (!['ENOENT', 'ENOTEMPTY', 'EBUSY', 'ENOTDIR'].includes(errorCode(error))) throw error;
    });
  }
}

/** The folders that only `--root` can have made. */
export function foldersOfInstallation(places: Places): string[] {
  if (places.root === undefined) return [];
  const above = (path: string): string[] => (path === places.root || !path.startsWith(`${places.root ?? ''}/`) ? [] : [path, ...above(dirname(path))]);
  return [places.installation, places.program, places.unit, places.script].flatMap((path) => above(dirname(path)));
}

async function hasOwnService({ unit, script }: Places): Promise<boolean> {
  return (await isOwnFile(unit)) || (await isOwnFile(script));
}

async function serviceOf(layout: Layout): Promise<ServiceKind> {
  return (await readPlace(layout)).service;
}

async function isLinkTo(path: string, target: string): Promise<boolean> {
  const there = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  return there?.isSymbolicLink() === true && (await readlink(path)) === target;
}
