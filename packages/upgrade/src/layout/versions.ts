import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode } from '@edge/core';
import { linkTarget, readJson, removeFile, replaceFile, replaceLink, syncFolder } from '../disk/files.js';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { MAIN_FILE, versionFolder, WHOLE_FILE, type Layout } from './layout.js';
import { byVersion } from './version-name.js';

/** What is known of a whole version. */
export interface VersionMark {
  readonly version: string;
  /** Digest of the archive that the package came in, as npm writes it; empty for a copy of a program, which came in none. */
  readonly integrity: string;
}

/** The versions of an installation. */
export class Versions {
  readonly #layout: Layout;

  constructor(deps: { readonly layout: Layout }) {
    this.#layout = deps.layout;
  }

  /** The version that runs, or starts next. */
  current(): Promise<string | undefined> {
    return this.#linked(this.#layout.current);
  }

  /** The version that ran before. */
  previous(): Promise<string | undefined> {
    return this.#linked(this.#layout.previous);
  }

  /** Names of the whole ones, newest first. */
  async list(): Promise<readonly string[]> {
    const names = await this.#names();
    return names.filter((name) => !name.startsWith('.') && this.isWhole(name)).sort(byVersion);
  }

  isWhole(version: string): boolean {
    const folder = versionFolder(this.#layout, version);
    return existsSync(join(folder, WHOLE_FILE)) && existsSync(join(folder, MAIN_FILE));
  }

  async mark(version: string): Promise<VersionMark | undefined> {
    return (await readJson(join(versionFolder(this.#layout, version), WHOLE_FILE))) as VersionMark | undefined;
  }

  /** The program of a version. */
  main(version: string): string {
    return join(versionFolder(this.#layout, version), MAIN_FILE);
  }

  /** Takes a folder that was filled and is on the disk as a version. */
  async adopt(partial: string, mark: VersionMark): Promise<void> {
    const folder = versionFolder(this.#layout, mark.version);
    await replaceFile(join(partial, WHOLE_FILE), `${JSON.stringify(mark)}\n`, 0o644);
    // One that lost files; whole ones are never prepared again.
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
    await syncFolder(this.#layout.versions);
  }

  /**
   * Lets `version` be the one that starts; the one until now is the one from before. In an order in which the launcher finds a whole
   * one at each moment.
   * @throws EdgeError `upgrade.no-version`
   */
  async switchTo(version: string): Promise<void> {
    if (!this.isWhole(version)) throw upgradeError(UpgradeErrors.noVersion, `version ${version} is not below ${this.#layout.versions}, or not whole`);
    const before = await this.current();
    if (before !== undefined && before !== version) await replaceLink(this.#layout.previous, this.#target(before));
    await replaceLink(this.#layout.current, this.#target(version));
  }

  /** Takes a switch back: `version` starts again, and `before` is the one from before, as it was then. */
  async switchBack(version: string, before: string | undefined): Promise<void> {
    if (!this.isWhole(version)) throw upgradeError(UpgradeErrors.noVersion, `version ${version} is not below ${this.#layout.versions}, or not whole`);
    await replaceLink(this.#layout.current, this.#target(version));
    if (before !== undefined && this.isWhole(before)) await replaceLink(this.#layout.previous, this.#target(before));
    else await removeFile(this.#layout.previous);
  }

  /** Lets `version` be the one whose program carries out a change. */
  async keepWith(version: string): Promise<void> {
    await replaceLink(this.#layout.keeper, this.#target(version));
  }

  /** Removes all but the version that runs, the one from before and those named. */
  async prune(...keep: readonly string[]): Promise<void> {
    const kept = new Set([await this.current(), await this.previous(), await this.#linked(this.#layout.keeper), ...keep]);
    for (const name of await this.#names()) {
      if (!kept.has(name)) await rm(join(this.#layout.versions, name), { recursive: true, force: true });
    }
  }

  async #names(): Promise<string[]> {
    return readdir(this.#layout.versions).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    });
  }

  async #linked(link: string): Promise<string | undefined> {
    const target = await linkTarget(link);
    return target === undefined ? undefined : basename(target);
  }

  #target(version: string): string {
    return join('versions', version);
  }
}
