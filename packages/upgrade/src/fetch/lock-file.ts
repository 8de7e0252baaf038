import { upgradeError, UpgradeErrors } from '../errors.js';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  /** It came inside of another package's archive, which has its digest. */
  readonly inBundle?: boolean;
}

/**
 * Looks through npm's lock file of an installation: every package has to have a digest by which npm has checked it.
 * @returns digest of the top package's archive
 * @throws EdgeError `upgrade.integrity` naming the packages without one
 */
export function checkLock(text: string, name: string, version: string): string {
  const { packages = {} } = JSON.parse(text) as { packages?: Readonly<Record<string, LockedPackage>> };
  const bare = Object.entries(packages).filter(([path, { integrity, inBundle }]) => path !== '' && !integrity && !inBundle);
  if (bare.length > 0) {
    const bareNames = bare.slice(0, 5).map(([path]) => path.replace(/^.*node_modules\//, ''));
    throw upgradeError(UpgradeErrors.integrity, `there is no digest for ${bareNames.join(', ')}${bare.length > 5 ? ` and ${bare.length - 5} more` : ''}: they cannot be checked, so nothing of it is used`);
  }
  const top = packages[`node_modules/${name}`];
  if (top?.integrity === undefined || top.version !== version) {
    throw upgradeError(UpgradeErrors.integrity, `${name} ${version} was asked for, ${top?.version ?? 'nothing'} came`);
  }
  return top.integrity;
}

/** What a lock file has, package by package, whatever address it came from. */
export function lockedContents(text: string): string {
  const { packages = {} } = JSON.parse(text) as { packages?: Readonly<Record<string, LockedPackage>> };
  const lines = Object.entries(packages).map(([path, { version = '', integrity = '' }]) => `${path} ${version} ${integrity}`);
  return lines.sort().join('\n');
}
