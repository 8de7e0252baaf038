import { createHash } from 'node:crypto';
import { hostPort } from '@edge/protocol';
import type { Chain, Family, Lookup, Table } from './table.js';

/** One port of a service as the kernel is to carry it. */
export interface KernelPort {
  /** `<namespace>/<name>`, for whoever reads the rules. */
  readonly service: string;
  /** Cluster addresses, of either family. */
  readonly addresses: readonly string[];
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** Where connections go, of either family; none: they are refused. */
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  readonly strategy: 'RoundRobin' | 'Random';
  /** Seconds that a source stays with its target. */
  readonly affinitySeconds?: number;
}

export interface TableOptions {
  /** Services see this node's address instead of the pod's: needed where packets between pods of one bridge pass no filter. */
  readonly masqueradeAll: boolean;
}

/** Sources that the kernel remembers for one target. */
const AFFINITY_SIZE = 10_000;
const SERVICES = 'services';
/** The set of all cluster addresses. */
export const ADDRESSES = 'addresses';
const HAIRPIN = 'hairpin';
/** Before the chains of others, which do not know cluster addresses, at the same places (-100, 100, 0). */
const BASE = {
  prerouting: 'type nat hook prerouting priority -105; policy accept;',
  output: 'type nat hook output priority -105; policy accept;',
  postrouting: 'type nat hook postrouting priority 95; policy accept;',
  refuse_forward: 'type filter hook forward priority -5; policy accept;',
  refuse_output: 'type filter hook output priority -5; policy accept;',
};

/**
 * The table of one family for these ports. A connection to a cluster address and port is given its target by its first
 * packet; from then on the kernel knows the connection and asks no rule. What still has a cluster address after that
 * has nowhere to go and is refused at once, not left to a time-out. [edgemesh-41]
 */
export function planTable(family: Family, ports: readonly KernelPort[], options: TableOptions): Table {
  const chains = new Map<string, Chain>();
  const lookups = new Map<string, Lookup>();
  const services = new Map<string, string>();
  const addresses = new Map<string, string>();
  const hairpin = new Map<string, string>();
  const ofFamily = (address: string): boolean => address.includes(':') === (family === 'ip6');
  for (const port of ports) {
    const own = port.addresses.filter(ofFamily);
    const targets = port.targets.filter(({ address }) => ofFamily(address));
    for (const address of own) addresses.set(address, '');
    if (own.length === 0 || targets.length === 0) continue;
    const name = chainName('svc', port);
    for (const address of own) services.set(`${address} . ${port.protocol.toLowerCase()} . ${port.port}`, `goto ${name}`);
    for (const { address } of targets) hairpin.set(`${address} . ${address}`, '');
    addService(family, port, targets, name, chains, lookups);
  }
  const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  lookups.set(SERVICES, { kind: 'map', spec: `type ${type} . inet_proto . inet_service : verdict; flags timeout;`, elements: services });
  lookups.set(ADDRESSES, { kind: 'set', spec: `type ${type}; flags timeout;`, elements: addresses });
  lookups.set(HAIRPIN, { kind: 'set', spec: `type ${type} . ${type};`, elements: hairpin });
  const dispatch = [`${family} daddr . meta l4proto . th dport vmap @${SERVICES}`];
  chains.set('prerouting', { base: BASE.prerouting, rules: dispatch });
  chains.set('output', { base: BASE.output, rules: dispatch });
  chains.set('postrouting', { base: BASE.postrouting, rules: masquerade(family, options) });
  // What the agent carries itself goes to another port of the same address.
  const refuse = ['ct status dnat accept', `${family} daddr @${ADDRESSES} meta l4proto tcp reject with tcp reset`, `${family} daddr @${ADDRESSES} reject`];
  chains.set('refuse_forward', { base: BASE.refuse_forward, rules: refuse });
  chains.set('refuse_output', { base: BASE.refuse_output, rules: refuse });
  return { family, lookups, chains };
}

/** Answers must come back through this node: to a pod that called itself, and to the node where the way out has another of its addresses than the way to the cluster address had. */
function masquerade(family: Family, { masqueradeAll }: TableOptions): readonly string[] {
  // Others translate as well, such as a container runtime that publishes ports; theirs keep their sources.
  const ours = `ct status dnat ct original ${family} daddr @${ADDRESSES}`;
  if (masqueradeAll) return [`oifname != "lo" ${ours} masquerade`];
  return [`${ours} ${family} saddr . ${family} daddr @${HAIRPIN} masquerade`, `oifname != "lo" ${ours} fib saddr type local masquerade`];
}

function addService(family: Family, port: KernelPort, targets: KernelPort['targets'], name: string, chains: Map<string, Chain>, lookups: Map<string, Lookup>): void {
  const l4 = port.protocol.toLowerCase();
  const names = targets.map((target) => chainName('ep', port, hostPort(target.address, target.port)));
  const rules: string[] = [];
  targets.forEach((target, index) => {
    const chain = names[index] as string;
    const translate = `meta l4proto ${l4} dnat to ${hostPort(target.address, target.port)}`;
    if (port.affinitySeconds === undefined) {
      chains.set(chain, { rules: [translate] });
      return;
    }
    const sources = chain.replace('ep-', 'aff-');
    lookups.set(sources, { kind: 'set', spec: `type ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'}; flags dynamic,timeout; timeout ${port.affinitySeconds}s; size ${AFFINITY_SIZE};` });
    chains.set(chain, { rules: [`update @${sources} { ${family} saddr }`, translate] });
    rules.push(`${family} saddr @${sources} goto ${chain}`);
  });
  const [only] = names;
  rules.push(names.length === 1 ? `goto ${only}` : `numgen ${port.strategy === 'Random' ? 'random' : 'inc'} mod ${names.length} vmap { ${names.map((chain, index) => `${index} : goto ${chain}`).join(', ')} }`);
  chains.set(name, { rules });
}

/** Told apart by the hash, and readable: the kernel takes names of 128 and more. */
function chainName(kind: 'svc' | 'ep', { service, protocol, port, affinitySeconds }: KernelPort, target = ''): string {
  const id = `${service} ${protocol} ${port}`;
  const hash = createHash('sha256').update(`${id} ${target} ${affinitySeconds ?? ''}`).digest('hex').slice(0, 12);
  return `${kind}-${hash}-${`${service}/${protocol.toLowerCase()}/${port}`.replace(/[^a-z0-9/.-]/g, '_').slice(0, 90)}`;
}
