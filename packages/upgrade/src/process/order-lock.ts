import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readOptional } from '../disk/files.js';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { isAlive, readMark, releaseFile, takeFile } from './process-mark.js';

/** Upstream's file: while it is there, no other command may change the installation. */
const NAME = 'idempotency_record';

/**
 * Holds upstream's lock while the work runs. Upstream's tool leaves the file behind when it is killed, and refuses ever after; here a
 * file of a process that does not live counts for nothing, and one of upstream's tool only as long as that runs.
 * @throws EdgeError `upgrade.busy` naming who has it
 */
export async function withOrderLock<T>(stateFolder: string, work: () => Promise<T>): Promise<T> {
  const path = join(stateFolder, NAME);
  const text = await readOptional(path);
  if (text !== undefined && readMark(text) === undefined) {
    if (keadmRuns()) throw upgradeError(UpgradeErrors.busy, `keadm changes this node at the moment (${path})`);
    await rm(path, { force: true });
  }
  const owner = await takeFile(path);
  if (owner !== undefined && isAlive(owner)) throw upgradeError(UpgradeErrors.busy, `process ${readMark(owner)?.pid ?? ''} changes this installation at the moment (${path})`);
  try {
    return await work();
  } finally {
    await releaseFile(path);
  }
}

function keadmRuns(): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && command(name) === 'keadm');
}

function command(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
