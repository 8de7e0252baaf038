import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkLock, lockedContents } from './lock-file.js';
import { npm } from './npm.js';

const run = promisify(execFile);

export interface PackageOrder {
  readonly name: string;
  readonly version: string;
  /** An empty folder. */
  readonly folder: string;
  readonly registry: string | undefined;
}

export interface InstalledPackage {
  /** Digest of the package's archive, as npm writes it. */
  readonly integrity: string;
  /** Digest of the package and of all that came with it, as hex. */
  readonly contents: string;
}

/**
 * Installs a package, with all that it needs, into a folder: every archive is checked against its digest, no script of a package runs.
 * @throws EdgeError with a code for each cause that somebody can do something about
 */
export async function installPackage({ name, version, folder, registry }: PackageOrder, signal: AbortSignal): Promise<InstalledPackage> {
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'edgecore-installation', private: true, dependencies: { [name]: version } }));
  await npm(['install', '--omit=dev', '--engine-strict', '--package-lock'], { cwd: folder, registry, name }, signal);
  const lock = await readFile(join(folder, 'package-lock.json'), 'utf8');
  return { integrity: checkLock(lock, name, version), contents: createHash('sha256').update(lockedContents(lock)).digest('hex') };
}

/** Has all of a folder on the disk. */
export async function syncTree(folder: string): Promise<void> {
  // Thousands of files: one order to the file system instead of one for each.
  await run('sync', ['-f', folder]).catch(() => run('sync'));
}
