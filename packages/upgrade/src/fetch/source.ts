import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { byVersion } from '../layout/version-name.js';
import { serveFolder, type FolderRegistry } from './folder-registry.js';
import { npm } from './npm.js';

/** Where versions come from. */
export interface Source {
  /** Address of a registry; what npm is configured with unless given. */
  readonly registry?: string | undefined;
  /** A folder of packed packages, or one of them; goes before the registry. */
  readonly from?: string | undefined;
}

/**
 * Serves a source that is a folder; undefined when it is a registry.
 * @param others registry for what is not in the folder; without one that counts as not there
 * @throws EdgeError `upgrade.no-source`
 */
export async function servedFolder({ from }: Source, others?: string): Promise<FolderRegistry | undefined> {
  if (from === undefined) return undefined;
  if (!existsSync(from)) throw upgradeError(UpgradeErrors.noSource, `${from} is not there; give a folder of *.tgz files, or one of them`);
  return serveFolder((await stat(from)).isDirectory() ? from : dirname(from), others);
}

/**
 * The newest version of a package that a source has.
 * @throws EdgeError `upgrade.no-version`, and what npm says
 */
export async function newestOf(name: string, served: FolderRegistry | undefined, source: Source, signal: AbortSignal): Promise<string> {
  const [newest] = served?.versionsOf(name).toSorted(byVersion) ?? [];
  if (newest !== undefined) return newest;
  if (served) throw upgradeError(UpgradeErrors.noVersion, `there is no ${name} in ${source.from ?? ''}`);
  return (await npm(['view', name, 'version'], { cwd: '/', registry: source.registry, name }, signal)).trim();
}
