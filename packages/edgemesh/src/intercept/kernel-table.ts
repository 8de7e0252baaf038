import { createHash } from 'node:crypto';
import type { SystemCommand } from './commands.js';
import { bareText, lapseText, nftText, removeText, replaceText } from './nft-text.js';
import { ADDRESSES } from './plan-table.js';
import { NOTHING, TABLE, type Family, type Present, type Table } from './table.js';

/** What `nft -j list table` tells of the parts of a table. */
interface Listed {
  readonly nftables?: readonly { readonly chain?: { readonly name: string }; readonly set?: { readonly name: string }; readonly map?: { readonly name: string } }[];
}

/** Keeps one table of the kernel as it is to be. [edgemesh-42] */
export class KernelTable {
  readonly #nft: SystemCommand;
  readonly #family: Family;
  #applied: { readonly table: Table; readonly digest: string } | undefined;

  constructor(deps: { nft: SystemCommand; family: Family }) {
    this.#nft = deps.nft;
    this.#family = deps.family;
  }

  /** Makes it so, all at once or not at all. Rejects with what nft says. */
  async apply(wanted: Table): Promise<void> {
    const present: Present = this.#applied ?? (await this.#left());
    // A node without services of this family is left as it is.
    if (present === NOTHING && wanted.lookups.get(ADDRESSES)?.elements?.size === 0) return;
    const text = nftText(wanted, present);
    if (text === '') return;
    try {
      await this.#nft(['-f', '-'], text);
    } catch {
      // Somebody changed it, or another version of the agent left what cannot become this.
      this.#applied = undefined;
      await this.#nft(['-f', '-'], replaceText(wanted));
    }
    this.#applied = { table: wanted, digest: await this.#digest() };
  }

  /** Puts back what somebody took away or changed. @returns true when that was so */
  async repair(): Promise<boolean> {
    if (this.#applied === undefined) return false;
    const { table, digest } = this.#applied;
    if ((await this.#digest()) === digest) return false;
    this.#applied = undefined;
    await this.apply(table);
    return true;
  }

  /**
   * The end: what catches connections ends after these seconds. 0: all of it is removed now, but for one chain that catches
   * nothing, where nobody else has the kernel translate: without it the packets of open connections would be translated no more.
   */
  async leave(seconds: number): Promise<void> {
    if (this.#applied === undefined) return;
    const { table } = this.#applied;
    this.#applied = undefined;
    if (seconds > 0) await this.#nft(['-f', '-'], lapseText(table, seconds));
    else await this.#nft(['-f', '-'], (await this.#othersTranslate()) ? removeText(this.#family) : bareText(this.#family));
  }

  /** Removes what a predecessor left. */
  async clear(): Promise<void> {
    if ((await this.#left()) !== NOTHING) await this.#nft(['-f', '-'], removeText(this.#family));
  }

  async #othersTranslate(): Promise<boolean> {
    const tables = (await this.#nft(['list', 'ruleset', this.#family])).split(/^(?=table )/m);
    return tables.some((text) => !text.startsWith(`table ${this.#family} ${TABLE} `) && /type nat hook/.test(text) && /\b(?:masquerade|[sd]nat|redirect)\b/i.test(text));
  }

  /** Names of what a predecessor left. */
  async #left(): Promise<Present> {
    const text = await this.#nft(['-j', '-t', 'list', 'table', this.#family, TABLE]).catch(() => undefined);
    if (text === undefined) return NOTHING;
    const parts = (JSON.parse(text) as Listed).nftables ?? [];
    return {
      chains: parts.flatMap(({ chain }) => (chain ? [chain.name] : [])),
      lookups: parts.flatMap(({ set, map }): { kind: 'set' | 'map'; name: string }[] => (set ? [{ kind: 'set', name: set.name }] : map ? [{ kind: 'map', name: map.name }] : [])),
    };
  }

  /** Of all but the sources that the kernel remembers. */
  async #digest(): Promise<string> {
    const text = await this.#nft(['-s', 'list', 'table', this.#family, TABLE]).catch(() => '');
    const own = text.replace(/(\tset aff-\S+ \{[^}]*?)\n\t\telements = \{[^}]*\}/g, '$1');
    return createHash('sha256').update(own).digest('hex');
  }
}
