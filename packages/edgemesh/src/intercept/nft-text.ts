import { TABLE, type Chain, type Family, type Lookup, type Present, type Table } from './table.js';

/** Elements in one command: nft's lines have a limit. */
const ELEMENTS_AT_ONCE = 500;

/**
 * Commands for `nft -f` that make the table what it is to be; the kernel takes all of them or none. Empty when nothing
 * differs. What stays the same is not touched: rules keep their turn, and sets what the kernel remembers. [edgemesh-41]
 */
export function nftText(wanted: Table, present: Present): string {
  const before = 'table' in present ? present.table : undefined;
  const old = 'table' in present ? names(present.table) : present;
  const { family } = wanted;
  const lines: string[] = [];
  const say = (verb: string, what: string, name: string, rest = ''): void => void lines.push(`${verb} ${what} ${family} ${TABLE} ${name}${rest === '' ? '' : ` ${rest}`}`);

  const changedChains = [...wanted.chains].filter(([name, chain]) => !sameRules(before?.chains.get(name), chain));
  for (const [name, lookup] of wanted.lookups) if (before?.lookups.get(name)?.spec !== lookup.spec) say('add', lookup.kind, name, `{ ${lookup.spec} }`);
  for (const [name, { base }] of changedChains) say('add', 'chain', name, base === undefined ? '' : `{ ${base} }`);
  for (const [name] of changedChains) say('flush', 'chain', name);
  for (const [name, { rules }] of changedChains) for (const rule of rules) say('add', 'rule', name, rule);
  for (const [name, { kind, elements }] of wanted.lookups) if (elements !== undefined) elementCommands(name, kind, before?.lookups.get(name)?.elements, elements).forEach((command) => say(...command));
  // Rules that go to a chain, or look into a set, must be gone before it.
  const gone = old.chains.filter((name) => !wanted.chains.has(name));
  for (const name of gone) say('flush', 'chain', name);
  for (const name of gone) say('delete', 'chain', name);
  for (const { kind, name } of old.lookups) if (!wanted.lookups.has(name)) say('delete', kind, name);
  return lines.length === 0 ? '' : `add table ${family} ${TABLE}\n${lines.join('\n')}\n`;
}

/** The same from nothing: for a table of a predecessor that cannot be changed into this one. */
export function replaceText(wanted: Table): string {
  return `${removeText(wanted.family)}${nftText(wanted, { chains: [], lookups: [] })}`;
}

export function removeText(family: Family): string {
  return `add table ${family} ${TABLE}\ndelete table ${family} ${TABLE}\n`;
}

/**
 * Nothing but what has the kernel follow open connections and translate their packets: it does so while there is a chain for
 * translation, and a rule that asks for the state of connections. This one catches none. [edgemesh-42]
 */
export function bareText(family: Family): string {
  return `${removeText(family)}add table ${family} ${TABLE}\nadd chain ${family} ${TABLE} open_connections { type nat hook postrouting priority 95; policy accept; }\nadd rule ${family} ${TABLE} open_connections ct status dnat accept\n`;
}

/**
 * Leaves the table to itself: what catches connections ends by itself after these seconds. Chains stay, since
 * without any the kernel would translate the packets of open connections no more. [edgemesh-42]
 */
export function lapseText({ family, lookups }: Table, seconds: number): string {
  const lines: string[] = [];
  for (const [name, { kind, spec, elements }] of lookups) {
    if (elements === undefined || !spec.includes('timeout')) continue;
    lines.push(`flush ${kind} ${family} ${TABLE} ${name}`);
    for (const text of batches([...elements], (key) => `${key} timeout ${seconds}s`)) lines.push(`add element ${family} ${TABLE} ${name} ${text}`);
  }
  return `${lines.join('\n')}\n`;
}

function elementCommands(name: string, kind: Lookup['kind'], before: ReadonlyMap<string, string> | undefined, wanted: ReadonlyMap<string, string>): [string, string, string, string?][] {
  const added = [...wanted].filter(([key, value]) => before?.get(key) !== value);
  const removed = [...(before ?? [])].filter(([key, value]) => wanted.get(key) !== value);
  return [
    ...(before === undefined ? [['flush', kind, name] as [string, string, string]] : batches(removed, (key) => key, false).map((text): [string, string, string, string] => ['delete', 'element', name, text])),
    ...batches(added, (key) => key).map((text): [string, string, string, string] => ['add', 'element', name, text]),
  ];
}

function batches(elements: readonly (readonly [string, string])[], key: (name: string) => string, withValue = true): string[] {
  const texts = elements.map(([name, value]) => (withValue && value !== '' ? `${key(name)} : ${value}` : key(name)));
  const all: string[] = [];
  for (let start = 0; start < texts.length; start += ELEMENTS_AT_ONCE) all.push(`{ ${texts.slice(start, start + ELEMENTS_AT_ONCE).join(', ')} }`);
  return all;
}

function sameRules(before: Chain | undefined, wanted: Chain): boolean {
  return before !== undefined && before.base === wanted.base && before.rules.length === wanted.rules.length && before.rules.every((rule, index) => rule === wanted.rules[index]);
}

function names({ chains, lookups }: Table): { readonly chains: readonly string[]; readonly lookups: readonly { readonly kind: 'set' | 'map'; readonly name: string }[] } {
  return { chains: [...chains.keys()], lookups: [...lookups].map(([name, { kind }]) => ({ kind, name })) };
}
