import { TOP_PACKAGE } from '../layout/layout.js';
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
export function checkLock(text: string, version: string): string {
  const { packages = {} } = JSON.parse(text) as { packages?: Readonly<Record<string, LockedPackage>> };
  const bare = Object.entries(packages).filter(([path, { integrity, inBundle }]) => path !== '' && !integrity && !inBundle);
  if (bare.length > 0) {
    const names = bare.slice(0, 5).map(([path]) => path.replace(/^.*node_modules\//, ''));
    throw upgradeError(UpgradeErrors.integrity, `there is no digest for ${names.join(', ')}${bare.length > 5 ? ` and ${bare.length - 5} more` : ''}: they cannot be checked, so nothing of it is used`);
  }
  const top = packages[`node_modules/${TOP_PACKAGE}`];
  if (top?.integrity === undefined || top.version !== version) {
    throw upgradeError(UpgradeErrors.integrity, `${TOP_PACKAGE} ${version} was asked for, ${top?.version ?? 'nothing'} came`);
  }
  return top.integrity;
}
