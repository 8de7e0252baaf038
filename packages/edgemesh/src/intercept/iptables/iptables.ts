import { errorText } from '@edge/core';
import { edgeMeshError } from '../../errors.js';
import type { SystemCommand } from '../commands.js';
import type { Interception } from '../interception.js';
import { hasBridgeFilter, SAMPLE } from '../interceptor.js';
import type { KernelPort } from '../plan-table.js';
import type { Family } from '../table.js';
import { FamilyChains, sampleChains } from './family-chains.js';
import { planChains } from './plan-chains.js';
import { restoreText } from './restore-text.js';

const FAMILIES: readonly Family[] = ['ip', 'ip6'];

/** Rules by iptables, for nodes without `nft`; the older and the newer way of that program to the kernel alike. [edgemesh-48] */
export class Iptables implements Interception {
  readonly #run: (program: string) => SystemCommand;
  readonly #chains: readonly { readonly family: Family; readonly chains: FamilyChains }[];

  constructor(deps: { run: (program: string) => SystemCommand }) {
    this.#run = deps.run;
    this.#chains = FAMILIES.map((family) => ({ family, chains: new FamilyChains({ family, run: deps.run }) }));
  }

  async probe(): Promise<void> {
    // Nothing leads to the chain; a chain that is filled and removed at once would not be shown to an older kernel at all.
    const { nat, filter } = sampleChains(planChains('ip', [SAMPLE], { masqueradeAll: false }));
    const none = new Map<string, readonly string[]>();
    const restore = this.#run('iptables-restore');
    try {
      await restore(['-w', '--noflush'], `${restoreText('nat', nat, none)}${restoreText('filter', filter, none)}`);
      await restore(['-w', '--noflush'], `${restoreText('nat', none, nat)}${restoreText('filter', none, filter)}`);
    } catch (cause) {
      throw edgeMeshError('edgemesh.intercept', `connections cannot be sent on by rules of iptables: ${errorText(cause)}`, cause);
    }
  }

  async apply(ports: readonly KernelPort[]): Promise<void> {
    const masqueradeAll = !(await hasBridgeFilter());
    for (const { family, chains } of this.#chains) await chains.apply(planChains(family, ports, { masqueradeAll }));
  }

  async repair(): Promise<boolean> {
    let wasBroken = false;
    for (const { chains } of this.#chains) wasBroken = (await chains.repair()) || wasBroken;
    return wasBroken;
  }

  async clear(): Promise<void> {
    for (const { chains } of this.#chains) await chains.clear();
  }

  /** Rules of iptables cannot end by themselves. */
  async leave(): Promise<void> {
    for (const { chains } of this.#chains) if (!chains.isEmpty) await chains.leave();
  }
}
