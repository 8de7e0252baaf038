import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode } from '@edge/core';
import { syncFolder } from '../disk/files.js';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { installPackage, syncTree } from './install-package.js';
import { npm } from './npm.js';
import { newestOf, servedFolder, type Source } from './source.js';

export interface FetchOrder {
  readonly name: string;
  /** As npm has it, `1.4.2`; the newest of the source unless given. */
  readonly version?: string | undefined;
  /** Folder in which each version gets one of its own. */
  readonly into: string;
  /** What a folder of packages has not comes from the registry. */
  readonly source: Source;
}

/** A package in a folder of its own, which is an npm installation. */
export interface FetchedPackage {
  readonly version: string;
  readonly folder: string;
  /** Digest of its archive, as npm writes it. */
  readonly integrity: string;
}

const PARTIAL = /^\.partial\.(\d+)\./;
/** Version and digest; whatever else lies beside it was put there by somebody. */
const FETCHED = /^\d+\.\d+\.\d+[0-9A-Za-z.+-]*-[0-9a-f]{8}$/;

/**
 * Fetches a package with all that it needs. The folder's name holds version and digest, so that what was packed anew under an old
 * version is not taken for what a process has loaded; it is there only when all is on the disk.
 * @throws EdgeError `upgrade.*`: what npm says, a source that cannot be read, a full disk
 */
export async function fetchPackage({ name, version: wanted, into, source }: FetchOrder, signal: AbortSignal): Promise<FetchedPackage> {
  const others = source.from === undefined ? undefined : (source.registry ?? (await npm(['config', 'get', 'registry'], { cwd: '/' }, signal)).trim());
  await using served = await servedFolder(source, others);
  const registry = served?.url ?? source.registry;
  const version = wanted ?? (await newestOf(name, served, source, signal));
  await mkdir(into, { recursive: true, mode: 0o755 });
  await removePartials(into);
  const partial = join(into, `.partial.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(partial);
    const { integrity, contents } = await installPackage({ name, version, folder: partial, registry }, signal);
    const folder = join(into, `${version}-${contents.slice(0, 8)}`);
    if (existsSync(folder)) return { version, folder, integrity };
    await syncTree(partial);
    await rename(partial, folder).catch((error: unknown) => {
      // Another command has fetched the same meanwhile.
      if (!existsSync(folder)) throw error;
    });
    await syncFolder(into);
    return { version, folder, integrity };
  } catch (error) {
    if (errorCode(error) === 'ENOSPC') throw upgradeError(UpgradeErrors.diskFull, `there is no room for ${name} ${version} below ${into}`, error);
    throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * Removes what was fetched into a folder, and nothing else that lies there.
 * @param keep folders that stay
 * @param unfinished also what attempts have left, of which one may be under way
 * @returns what was removed
 */
export async function removeFetched(into: string, keep: readonly string[] = [], unfinished = false): Promise<readonly string[]> {
  const kept = new Set(keep.map((folder) => basename(folder)));
  const removed = (await namesIn(into)).filter((name) => (FETCHED.test(name) && !kept.has(name)) || (unfinished && PARTIAL.test(name))).map((name) => join(into, name));
  for (const folder of removed) await rm(folder, { recursive: true, force: true });
  return removed;
}

/** Whether a folder has the name of one that was fetched. */
export function isFetched(folder: string): boolean {
  return FETCHED.test(basename(folder));
}

/** What attempts left that were cut off. */
async function removePartials(into: string): Promise<void> {
  for (const name of await namesIn(into)) {
    const [, pid] = PARTIAL.exec(name) ?? [];
    if (pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`))) await rm(join(into, name), { recursive: true, force: true });
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return [];
    throw error;
  });
}
