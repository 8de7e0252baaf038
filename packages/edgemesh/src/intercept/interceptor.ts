import { readFile } from 'node:fs/promises';
import { errorText } from '@edge/core';
import { edgeMeshError } from '../errors.js';
import type { SystemCommand } from './commands.js';
import type { Interception } from './interception.js';
import { KernelTable } from './kernel-table.js';
import { nftText } from './nft-text.js';
import { planTable, type KernelPort } from './plan-table.js';
import { NOTHING, type Family } from './table.js';

const FAMILIES: readonly Family[] = ['ip', 'ip6'];
/** Whether packets between ports of one bridge pass the filter; without the file they do not. */
const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** A port that has everything a table may have, to see whether the kernel takes it. */
export const SAMPLE: KernelPort = { service: 'default/sample', addresses: ['192.0.2.1', '2001:db8::1'], protocol: 'TCP', port: 1, targets: [{ address: '192.0.2.2', port: 1 }, { address: '192.0.2.3', port: 1 }, { address: '2001:db8::2', port: 1 }], strategy: 'RoundRobin', affinitySeconds: 1 };

/** Rules by nftables: the kernel's tables of both families. IPv6 is done without where the kernel has none. */
export class Interceptor implements Interception {
  readonly #nft: SystemCommand;
  readonly #tables: readonly { readonly family: Family; readonly table: KernelTable }[];
  readonly #bridgeFilter: () => Promise<boolean>;

  constructor(deps: { nft: SystemCommand; bridgeFilter?: () => Promise<boolean> }) {
    this.#nft = deps.nft;
    this.#bridgeFilter = deps.bridgeFilter ?? hasBridgeFilter;
    this.#tables = FAMILIES.map((family) => ({ family, table: new KernelTable({ nft: deps.nft, family }) }));
  }

  /** @throws EdgeError `edgemesh.intercept` when there is no nft, no right to use it, or a kernel that cannot */
  async probe(): Promise<void> {
    try {
      await this.#nft(['-c', '-f', '-'], nftText(planTable('ip', [SAMPLE], { masqueradeAll: false }), NOTHING));
    } catch (cause) {
      throw edgeMeshError('edgemesh.intercept', `connections cannot be sent on by the kernel: ${errorText(cause)}`, cause);
    }
  }

  async apply(ports: readonly KernelPort[]): Promise<void> {
    const masqueradeAll = !(await this.#bridgeFilter());
    for (const { family, table } of this.#tables) await table.apply(planTable(family, ports, { masqueradeAll }));
  }

  /** @returns true when somebody had taken something away */
  async repair(): Promise<boolean> {
    let wasBroken = false;
    for (const { table } of this.#tables) wasBroken = (await table.repair()) || wasBroken;
    return wasBroken;
  }

  async leave(seconds: number): Promise<void> {
    for (const { table } of this.#tables) await table.leave(seconds);
  }

  async clear(): Promise<void> {
    for (const { table } of this.#tables) await table.clear();
  }
}

export function hasBridgeFilter(): Promise<boolean> {
  return readFile(BRIDGE_FILTER, 'utf8').then((text) => text.trim() === '1', () => false);
}
