/** Codes of this package: what each one means. */
export const UpgradeErrors = {
  /** The machine's service manager refused an order, or is not there. */
  service: 'upgrade.service',
} as const;
