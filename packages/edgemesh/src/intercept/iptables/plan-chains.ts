import { createHash } from 'node:crypto';
import { hostPort } from '@edge/protocol';
import type { KernelPort, TableOptions } from '../plan-table.js';
import type { Family } from '../table.js';

export type TableName = 'nat' | 'filter';
/** Own chains of one table and their rules, in order. */
export type Chains = ReadonlyMap<string, readonly string[]>;
/** Of one family. */
export type Plan = Readonly<Record<TableName, Chains>>;

/** Every chain of the agent is called so, and none of others. */
export const PREFIX = 'EDGE-MESH';
const ENTRY = PREFIX;
const LEAVING = `${PREFIX}-POST`;
const REFUSE = `${PREFIX}-REFUSE`;

/** Where others' chains lead to the agent's. */
export const JUMPS: Readonly<Record<TableName, readonly { readonly from: string; readonly to: string }[]>> = {
  nat: [{ from: 'PREROUTING', to: ENTRY }, { from: 'OUTPUT', to: ENTRY }, { from: 'POSTROUTING', to: LEAVING }],
  filter: [{ from: 'FORWARD', to: REFUSE }, { from: 'OUTPUT', to: REFUSE }],
};

/** The same as `planTable`, in words of iptables: a rule for each address and port, since there are no maps. Pure. [edgemesh-48] */
export function planChains(family: Family, ports: readonly KernelPort[], options: TableOptions): Plan {
  const nat = new Map<string, string[]>([[ENTRY, []], [LEAVING, []]]);
  const addresses = new Set<string>();
  const leaving = new Set<string>();
  const ofFamily = (address: string): boolean => address.includes(':') === (family === 'ip6');
  for (const port of ports) {
    const own = port.addresses.filter(ofFamily);
    const targets = port.targets.filter(({ address }) => ofFamily(address));
    for (const address of own) addresses.add(address);
    if (own.length === 0 || targets.length === 0) continue;
    const chain = chainName('S', port);
    const protocol = port.protocol.toLowerCase();
    for (const address of own) {
      nat.get(ENTRY)?.push(`-d ${address} -p ${protocol} -m ${protocol} --dport ${port.port} -m comment --comment "${commentOf(port)}" -j ${chain}`);
      for (const { address: target } of targets) leaving.add(`-s ${target} -d ${target} ${translated(address)} -j MASQUERADE`);
    }
    addService(port, targets, chain, nat);
  }
  for (const address of addresses) leaving.add(`! -o lo ${translated(address)}${options.masqueradeAll ? '' : ' -m addrtype --src-type LOCAL'} -j MASQUERADE`);
  nat.get(LEAVING)?.push(...leaving);
  const untranslated = '-m conntrack ! --ctstate DNAT';
  const refuse = [...addresses].flatMap((address) => [`-d ${address} -p tcp ${untranslated} -j REJECT --reject-with tcp-reset`, `-d ${address} ${untranslated} -j REJECT`]);
  return { nat, filter: new Map([[REFUSE, refuse]]) };
}

const translated = (address: string): string => `-m conntrack --ctstate DNAT --ctorigdst ${address}`;

function addService(port: KernelPort, targets: KernelPort['targets'], name: string, nat: Map<string, string[]>): void {
  const protocol = port.protocol.toLowerCase();
  const chains = targets.map((target) => chainName('E', port, hostPort(target.address, target.port)));
  const rules: string[] = [];
  targets.forEach((target, index) => {
    const chain = chains[index] as string;
    const remember = port.affinitySeconds === undefined ? '' : `-m recent --name ${chain} --set `;
    nat.set(chain, [`${remember}-p ${protocol} -m ${protocol} -j DNAT --to-destination ${hostPort(target.address, target.port)}`]);
    if (port.affinitySeconds !== undefined) rules.push(`-m recent --name ${chain} --rcheck --seconds ${port.affinitySeconds} --reap -j ${chain}`);
  });
  chains.forEach((chain, index) => {
    const left = chains.length - index;
    const turn = port.strategy === 'Random' ? `--mode random --probability ${(1 / left).toFixed(10)}` : `--mode nth --every ${left} --packet 0`;
    rules.push(left === 1 ? `-j ${chain}` : `-m statistic ${turn} -j ${chain}`);
  });
  nat.set(name, rules);
}

/** A name that is none of Kubernetes' must not end the quotes, or be longer than the kernel takes: all rules would be refused for it. */
function commentOf({ service }: KernelPort): string {
  return service.replace(/[^a-z0-9/.-]/g, '_').slice(0, 200);
}

/** The kernel takes names of 28. */
function chainName(kind: 'S' | 'E', { service, protocol, port, affinitySeconds }: KernelPort, target = ''): string {
  return `${PREFIX}-${kind}-${createHash('sha256').update(`${service} ${protocol} ${port} ${target} ${affinitySeconds ?? ''}`).digest('hex').slice(0, 14)}`;
}
