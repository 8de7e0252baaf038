const DECIMAL = /^\d+$/;

/** How an incoming version stands to a stored one. */
export type VersionOrder = 'newer' | 'same' | 'older';

/**
 * Compares decimal versions of any length. What is not decimal never wins over a number and never stands in its way;
 * between two such the later arrival counts as newer.
 */
export function compareVersions(incoming: string | undefined, stored: string | undefined): VersionOrder {
  const comes = incoming !== undefined && DECIMAL.test(incoming);
  const has = stored !== undefined && DECIMAL.test(stored);
  if (!has) return 'newer';
  if (!comes) return 'older';
  const one = BigInt(incoming);
  const other = BigInt(stored);
  return one > other ? 'newer' : one === other ? 'same' : 'older';
}
