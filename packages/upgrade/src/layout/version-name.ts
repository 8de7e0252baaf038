import { parseVersion } from '@edge/core';
import { upgradeError, UpgradeErrors } from '../errors.js';

const SEMVER = /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * A version as npm and the folders have it, `1.23.1`; node jobs and reports write `v1.23.1`.
 * @throws EdgeError `upgrade.bad-version`
 */
export function versionName(text: string): string {
  const name = SEMVER.exec(text.trim())?.[1];
  if (name === undefined) throw upgradeError(UpgradeErrors.badVersion, `"${text}" is no version; write three numbers, as v1.23.1, perhaps with a suffix, as v1.24.0-rc.1`);
  return name;
}

/** A version as node jobs and reports write it. */
export function versionLabel(name: string): string {
  return `v${name}`;
}

/** Newest first; a release before what led to it. */
export function byVersion(a: string, b: string): number {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  if (!x || !y) return a < b ? 1 : -1;
  const numbers = y.major - x.major || y.minor - x.minor || y.patch - x.patch;
  if (numbers !== 0 || x.prerelease === y.prerelease) return numbers;
  if (x.prerelease === '' || y.prerelease === '') return x.prerelease === '' ? -1 : 1;
  return x.prerelease < y.prerelease ? 1 : -1;
}
