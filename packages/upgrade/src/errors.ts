import { EdgeError } from '@edge/core';

/** Codes of this package: what each one means. */
export const UpgradeErrors = {
  /** The machine's service manager refused an order, or is not there. */
  service: 'upgrade.service',
  /** A text that is no version of a package. */
  badVersion: 'upgrade.bad-version',
  /** A digest in a form that cannot be compared. */
  badDigest: 'upgrade.bad-digest',
  /** The version is not where it was looked for. */
  noVersion: 'upgrade.no-version',
  /** The source of versions could not be reached, or did not answer. */
  noSource: 'upgrade.no-source',
  /** What came is not what was asked for, or names no digest of something it consists of. */
  integrity: 'upgrade.integrity',
  /** The disk is full. */
  diskFull: 'upgrade.disk-full',
  /** The version came whole and cannot be used on this machine. */
  unusable: 'upgrade.unusable',
  /** npm ended with an error of another kind. */
  npm: 'upgrade.npm',
  /** Another change of this installation is under way. */
  busy: 'upgrade.busy',
  /** There is no installation at that place, or it is damaged. */
  noInstallation: 'upgrade.no-installation',
  /** The process that carries out a change did not take over. */
  notTakenOver: 'upgrade.not-taken-over',
} as const;

export type UpgradeErrorCode = (typeof UpgradeErrors)[keyof typeof UpgradeErrors];

export function upgradeError(code: UpgradeErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
