import type { Chains, TableName } from './plan-chains.js';

/**
 * Input for `iptables-restore --noflush` that makes one table's own chains what they are to be; the kernel takes all of it or
 * nothing. Chains that stay the same are not touched: their turns go on. Empty when nothing differs. Pure. [edgemesh-48]
 * @param before rules where they are known; `undefined` for a chain of which only the name is
 */
export function restoreText(table: TableName, wanted: Chains, before: ReadonlyMap<string, readonly string[] | undefined>): string {
  const changed = [...wanted].filter(([name, rules]) => !sameRules(before.get(name), rules));
  const gone = [...before.keys()].filter((name) => !wanted.has(name));
  if (changed.length === 0 && gone.length === 0) return '';
  return [
    `*${table}`,
    // Naming a chain makes it, or empties it.
    ...[...changed.map(([name]) => name), ...gone].map((name) => `:${name} - [0:0]`),
    ...changed.flatMap(([name, rules]) => rules.map((rule) => `-A ${name} ${rule}`)),
    ...gone.map((name) => `-X ${name}`),
    'COMMIT',
    '',
  ].join('\n');
}

function sameRules(before: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return before !== undefined && before.length === wanted.length && before.every((rule, index) => rule === wanted[index]);
}
