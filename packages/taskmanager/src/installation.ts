import { token, type Token } from '@edge/core';

/** What a change of the agent came to, in upstream's words (`/etc/kubeedge/upgrade_report.json`). */
export interface InstallationReport {
  readonly event: 'Backup' | 'Upgrade' | 'Rollback' | 'ConfigUpdate';
  readonly success: boolean;
  readonly fromVersion: string;
  readonly toVersion: string;
  readonly errorMessage?: string;
}

/**
 * The versions of the agent on this node, as jobs change them. Versions are written as jobs write them, `v1.24.0`.
 *
 * A change that fails leaves the agent as it was: when `upgrade` or `updateConfiguration` rejects nothing has happened, and
 * when their report says `success: false` the agent has gone back by itself, unless `running` says otherwise.
 */
export interface NodeInstallation {
  /** The version of this very process. */
  running(): Promise<string>;
  /**
   * Fetches, verifies (integrity) and lays the version beside the running one.
   * @param order digest: what the job pins for this machine, `sha256:` or `sha512:` with hexadecimal digits
   */
  prepare(order: { readonly version: string; readonly digest?: string }, signal: AbortSignal): Promise<void>;
  /** Copies database and configuration below `/etc/kubeedge/backup/<version>/`, as upstream lays them. */
  backUp(signal: AbortSignal): Promise<{ readonly from: string; readonly to: string }>;
  /**
   * Hands over to a process outside of the agent, which stops it, switches, starts, watches, and goes back by itself.
   * Resolves when that process has taken over; what came of it is in the report.
   * @param order readyTimeoutSeconds: until the new version has to be Ready; its own setting counts when absent
   */
  upgrade(order: { readonly version: string; readonly readyTimeoutSeconds?: number }): Promise<void>;
  /** As `upgrade`, back to a version that is kept; the one before unless named. */
  rollBack(order: { readonly version?: string }): Promise<void>;
  /**
   * Checks the new configuration as a whole, writes it and has the agent started again, watched as in `upgrade`.
   * @param fields path → value, both as text
   * @throws with field and value named, before anything is changed
   */
  updateConfiguration(fields: Readonly<Record<string, string>>): Promise<void>;
  /** Whether a change is under way; until it is not, there is no report of it. */
  isBusy(): Promise<boolean>;
  /** What came of the last change; stays until `dropReport`. */
  report(): Promise<InstallationReport | undefined>;
  dropReport(): Promise<void>;
}

export const NodeInstallation: Token<NodeInstallation> = token<NodeInstallation>('taskmanager', 'NodeInstallation');
