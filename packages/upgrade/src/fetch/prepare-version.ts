import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode, type Logger } from '@edge/core';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { MAIN_FILE, TOP_PACKAGE, type Layout } from '../layout/layout.js';
import type { Versions } from '../layout/versions.js';
import { hexOf, integrityOf, readDigest, type Digest } from './digest.js';
import { installPackage, syncTree } from './install-package.js';
import { npm } from './npm.js';
import { newestOf, servedFolder, type Source } from './source.js';

const run = promisify(execFile);

export interface PrepareParts {
  readonly layout: Layout;
  readonly versions: Versions;
  readonly source: Source;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Lays a version beside the one that runs: fetched, checked, on the disk, seen to load. Until all that is so there is no folder
 * of its name. One that is there already is left as it is, once its digest is the one asked for.
 * @param version as npm has it, `1.23.1`
 * @param digest what the archive of the top package has to have
 */
export async function prepareVersion(version: string, digest: string | undefined, { layout, versions, source, log, signal }: PrepareParts): Promise<void> {
  const pinned = digest === undefined ? undefined : readDigest(digest);
  const mark = versions.isWhole(version) ? await versions.mark(version) : undefined;
  const isCopy = mark?.integrity === '';
  if (isCopy && pinned !== undefined && (await versions.current()) === version) {
    throw upgradeError(UpgradeErrors.integrity, `version ${version} runs as a copy that "edgecore install" made, not from an archive, so it cannot be compared with a digest`);
  }
  // A copy is no archive that could have the digest, so the archive takes its place.
  const there = isCopy && pinned !== undefined ? undefined : mark;
  if (there !== undefined && pinned?.algorithm !== 'sha256') {
    mustMatch(version, pinned, there.integrity);
    log.info('the version is there already', { version });
    return;
  }
  await using served = await servedFolder(source);
  const registry = served?.url ?? source.registry;
  await removePartials(layout);
  const partial = join(layout.versions, `.${version}.${randomBytes(4).toString('hex')}.partial`);
  try {
    await mkdir(partial, { recursive: true });
    if (pinned?.algorithm === 'sha256') {
      const integrity = await checkArchive(version, pinned.hex, partial, registry, signal);
      if (there?.integrity === integrity) return await rm(partial, { recursive: true });
      if (there !== undefined) throw wrongDigest(version, integrity, there.integrity);
    }
    const { integrity } = await installPackage({ name: TOP_PACKAGE, version, folder: partial, registry }, signal);
    if (pinned?.algorithm === 'sha512') mustMatch(version, pinned, integrity);
    await mustLoad(join(partial, MAIN_FILE), version);
    await syncTree(partial);
    await versions.adopt(partial, { version, integrity });
    log.info('the version was laid beside the one that runs', { version, integrity });
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (errorCode(error) === 'ENOSPC') throw upgradeError(UpgradeErrors.diskFull, `there is no room for version ${version} below ${layout.versions}`, error);
    throw error;
  }
}

/**
 * The newest version of the agent that a source has.
 * @throws EdgeError `upgrade.no-version`, and what npm says
 */
export async function newestVersion(source: Source, signal: AbortSignal): Promise<string> {
  await using served = await servedFolder(source);
  return newestOf(TOP_PACKAGE, served, source, signal);
}

function mustMatch(version: string, pinned: Digest | undefined, integrity: string): void {
  if (pinned !== undefined && readDigest(integrity).hex !== pinned.hex) throw wrongDigest(version, pinned.hex, readDigest(integrity).hex);
}

/** Fetches the top package's archive by itself; resolves with its digest as npm writes it. */
async function checkArchive(version: string, hex: string, folder: string, registry: string | undefined, signal: AbortSignal): Promise<string> {
  const packed = join(folder, '.packed');
  await mkdir(packed);
  await npm(['pack', `${TOP_PACKAGE}@${version}`, `--pack-destination=${packed}`], { cwd: packed, registry, name: TOP_PACKAGE }, signal);
  const [file = ''] = await readdir(packed);
  const archive = await readFile(join(packed, file));
  const found = hexOf(archive, 'sha256');
  if (found !== hex) throw wrongDigest(version, hex, found);
  await rm(packed, { recursive: true });
  return integrityOf(archive);
}

/** A version that cannot even say which one it is would only be switched to and back. */
async function mustLoad(main: string, version: string): Promise<void> {
  try {
    const { stdout } = await run(process.execPath, [main, '--version'], { timeout: 120_000, env: { ...process.env, NODE_OPTIONS: '' } });
    if (!stdout.includes(version)) throw new Error(`it says that it is ${stdout.trim()}`);
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    const line = stderr.split('\n').find((text) => /^\w*Error\b/.test(text)) ?? message;
    throw upgradeError(UpgradeErrors.unusable, `version ${version} cannot be loaded: ${line.trim()}`);
  }
}

/** What attempts left that were cut off. */
async function removePartials(layout: Layout): Promise<void> {
  await mkdir(layout.versions, { recursive: true });
  for (const name of await readdir(layout.versions)) {
    if (name.startsWith('.')) await rm(join(layout.versions, name), { recursive: true, force: true });
  }
}

function wrongDigest(version: string, wanted: string, found: string): Error {
  return upgradeError(UpgradeErrors.integrity, `the archive of ${TOP_PACKAGE} ${version} has the digest ${found}, it has to have ${wanted}; nothing of it is used`);
}
