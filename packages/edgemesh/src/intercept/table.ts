/** Own table of this agent in the kernel's packet filter; there is nothing of it anywhere else. */
export const TABLE = 'edgecore_mesh';

/** IPv4 and IPv6 have a table each: kernels before 5.2 translate addresses in no table for both. */
export type Family = 'ip' | 'ip6';

/** A chain: what it hangs on when it is a base chain, and its rules in order. */
export interface Chain {
  readonly base?: string;
  readonly rules: readonly string[];
}

/** A set or map: its declaration, and its elements when they are the agent's; the kernel keeps those of others. */
export interface Lookup {
  readonly kind: 'set' | 'map';
  readonly spec: string;
  /** Key and, for a map, what it stands for. */
  readonly elements?: ReadonlyMap<string, string>;
}

/** The table as data: what it is to be. */
export interface Table {
  readonly family: Family;
  readonly lookups: ReadonlyMap<string, Lookup>;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** What is in the kernel already: the table that was put there last, or no more than the names of what a predecessor left. */
export type Present = { readonly table: Table } | { readonly chains: readonly string[]; readonly lookups: readonly { readonly kind: 'set' | 'map'; readonly name: string }[] };

export const NOTHING: Present = { chains: [], lookups: [] };
