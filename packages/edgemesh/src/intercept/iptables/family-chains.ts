import { createHash } from 'node:crypto';
import type { SystemCommand } from '../commands.js';
import type { Family } from '../table.js';
import { JUMPS, PREFIX, type Chains, type Plan, type TableName } from './plan-chains.js';
import { restoreText } from './restore-text.js';

const TABLES: readonly TableName[] = ['nat', 'filter'];
/** Chains that are there: their rules, or no more than their names. */
type Known = Readonly<Record<TableName, ReadonlyMap<string, readonly string[] | undefined>>>;
const NONE: Plan = { nat: new Map(), filter: new Map() };
/** Nothing leads to this chain: a rule that asks for the state of connections has the kernel follow, and translate, those that are open. */
const BARE: Plan = { nat: new Map([[`${PREFIX}-OPEN`, ['-m conntrack --ctstate DNAT -j RETURN']]]), filter: new Map() };

/** Keeps the agent's chains of one family as they are to be. */
export class FamilyChains {
  readonly #iptables: SystemCommand;
  readonly #restore: SystemCommand;
  readonly #save: SystemCommand;
  #applied: { readonly plan: Plan; readonly digest: string } | undefined;
  #isEmpty = true;

  /** @param deps.run a program of the system by its name */
  constructor(deps: { family: Family; run: (program: string) => SystemCommand }) {
    const program = deps.family === 'ip' ? 'iptables' : 'ip6tables';
    this.#iptables = deps.run(program);
    this.#restore = deps.run(`${program}-restore`);
    this.#save = deps.run(`${program}-save`);
  }

  async apply(wanted: Plan): Promise<void> {
    const before = this.#applied?.plan ?? (await this.#left());
    // A node without services of this family is left as it is.
    if (wanted.filter.get(`${PREFIX}-REFUSE`)?.length === 0 && before.nat.size === 0 && before.filter.size === 0) return;
    if (this.#applied !== undefined && textOf(wanted, before) === '') return;
    this.#applied = undefined;
    this.#isEmpty = false;
    await this.#write(wanted, before);
    // Somebody may have emptied chains that were thought to be as they were.
    if ((await this.#own()).filter((line) => line.startsWith('-A ')).length !== rulesOf(wanted)) await this.#write(wanted, await this.#left());
    this.#applied = { plan: wanted, digest: await this.#digest() };
  }

  async repair(): Promise<boolean> {
    if (this.#applied === undefined || (await this.#digest()) === this.#applied.digest) return false;
    const { plan } = this.#applied;
    this.#applied = undefined;
    await this.apply(plan);
    return true;
  }

  /** The end: but for one chain that nothing leads to, where nobody else has the kernel translate, all is removed. */
  async leave(): Promise<void> {
    await this.#remove((await this.#othersTranslate()) ? NONE : BARE);
  }

  /** Removes what a predecessor left. */
  async clear(): Promise<void> {
    await this.#remove(NONE);
  }

  async #remove(rest: Plan): Promise<void> {
    const left = await this.#left();
    for (const table of TABLES) for (const { from, to } of JUMPS[table]) while (left[table].has(to) && (await this.#has(table, from, to))) await this.#iptables(['-w', '-t', table, '-D', from, '-j', to]);
    await this.#put(textOf(rest, left));
    this.#applied = undefined;
    this.#isEmpty = true;
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  async #write(wanted: Plan, before: Known): Promise<void> {
    await this.#put(textOf(wanted, before));
    for (const table of TABLES) for (const { from, to } of JUMPS[table]) await this.#jump(table, from, to);
  }

  async #put(text: string): Promise<void> {
    if (text !== '') await this.#restore(['-w', '--noflush'], text);
  }

  /** In front of the chains of others, which do not know cluster addresses. */
  async #jump(table: TableName, from: string, to: string): Promise<void> {
    if (!(await this.#has(table, from, to))) await this.#iptables(['-w', '-t', table, '-I', from, '-j', to]);
  }

  #has(table: TableName, from: string, to: string): Promise<boolean> {
    return this.#iptables(['-w', '-t', table, '-C', from, '-j', to]).then(() => true, () => false);
  }

  async #othersTranslate(): Promise<boolean> {
    const saved = await this.#save(['-t', 'nat']);
    return saved.split('\n').some((line) => !line.includes(PREFIX) && /-j (?:MASQUERADE|[SD]NAT|REDIRECT)\b/.test(line));
  }

  /** Names of chains that are there. */
  async #left(): Promise<Known> {
    const names = async (table: TableName): Promise<ReadonlyMap<string, undefined>> => {
      const saved = await this.#save(['-t', table]).catch(() => '');
      return new Map([...saved.matchAll(new RegExp(`^:(${PREFIX}\\S*) `, 'gm'))].map(([, name]) => [name as string, undefined]));
    };
    return { nat: await names('nat'), filter: await names('filter') };
  }

  async #digest(): Promise<string> {
    return createHash('sha256').update((await this.#own()).join('\n')).digest('hex');
  }

  /** Lines about the agent's chains, as they are now. */
  async #own(): Promise<readonly string[]> {
    const saved = await Promise.all(TABLES.map((table) => this.#save(['-t', table]).catch(() => '')));
    return saved.join('\n').split('\n').filter((line) => line.includes(PREFIX));
  }
}

function textOf(wanted: Plan, before: Known): string {
  return TABLES.map((table) => restoreText(table, wanted[table], before[table])).join('');
}

/** With those that lead to the agent's chains. */
function rulesOf(plan: Plan): number {
  return TABLES.flatMap((table) => [...plan[table].values(), JUMPS[table]]).reduce((sum, rules) => sum + rules.length, 0);
}

/** Rules of these chains that the kernel has to know, one of each kind. */
export function sampleChains({ nat, filter }: Plan): { readonly nat: Chains; readonly filter: Chains } {
  const inOne = (chains: Chains): Chains => new Map([[`${PREFIX}-PROBE`, [...chains.values()].flat().map((rule) => rule.replace(new RegExp(`-j ${PREFIX}\\S*`), '-j RETURN'))]]);
  return { nat: inOne(nat), filter: inOne(filter) };
}
