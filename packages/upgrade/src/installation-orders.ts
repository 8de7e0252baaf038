/** A version that is to be laid beside the one that runs. */
export interface PrepareOrder {
  /** `v1.23.1` or `1.23.1`. */
  readonly version: string;
  /** What the package's archive has to have: `sha512-<base64>`, `sha512:<hex>` or `sha256:<hex>`. */
  readonly digest?: string;
}

export interface UpgradeOrder {
  readonly version: string;
  /** Seconds within which the version has to be Ready, or the one before comes back. */
  readonly readyTimeoutSeconds: number;
}

/** What a change was, in upstream's words. */
export type ReportEvent = 'Backup' | 'Upgrade' | 'Rollback' | 'ConfigUpdate';

/** What came out of a change: the content of upstream's `upgrade_report.json`. */
export interface Report {
  readonly event: ReportEvent;
  readonly success: boolean;
  readonly fromVersion: string;
  readonly toVersion: string;
  /** Why it failed. */
  readonly errorMessage?: string;
}
