import { errorText, type Logger } from '@edge/core';
import type { WaysConfig } from '../ways-config.js';
import type { SystemCommand } from './commands.js';
import type { Interception } from './interception.js';
import { Interceptor } from './interceptor.js';
import { Iptables } from './iptables/iptables.js';

export interface ChooseDeps {
  readonly intercept: WaysConfig['intercept'];
  readonly run: (program: string) => SystemCommand;
  readonly log: Logger;
}

/**
 * Who sends connections on in the kernel: nftables, or iptables where that cannot be had.
 * @returns undefined when the agent carries all of them
 * @throws EdgeError `edgemesh.intercept` when the configuration insists on one that cannot be had
 */
export async function chooseInterception({ intercept, run, log }: ChooseDeps): Promise<Interception | undefined> {
  const ways = { nftables: new Interceptor({ nft: run('nft') }), iptables: new Iptables({ run }) };
  const chosen = await choose(intercept, ways, log);
  // A predecessor may have worked in another way, and have been killed.
  for (const way of Object.values(ways)) if (way !== chosen) await way.clear().catch(() => undefined);
  return chosen;
}

async function choose(intercept: WaysConfig['intercept'], ways: Readonly<Record<'nftables' | 'iptables', Interception>>, log: Logger): Promise<Interception | undefined> {
  if (intercept === 'listeners' || intercept === 'own-address') return undefined;
  if (intercept !== 'auto') {
    await ways[intercept].probe();
    return ways[intercept];
  }
  const reasons: string[] = [];
  for (const way of Object.values(ways)) {
    try {
      await way.probe();
      return way;
    } catch (error) {
      reasons.push(errorText(error));
    }
  }
  log.warn(`${reasons.join('; ')}; the agent carries all connections itself`);
  return undefined;
}
