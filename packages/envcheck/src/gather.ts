import { lookup as dnsLookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import type { LocalAddress, NetworkFacts } from './choose-address.js';
import { resolveNodeAddress, type Lookup } from './node-address.js';
import { parseIpv4Routes, parseIpv6Routes } from './routes.js';

/** The addresses and default routes of this machine as they are now. Where there is no /proc there are no routes. */
export async function gatherNetwork(): Promise<NetworkFacts> {
  const interfaces = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]): LocalAddress[] => addresses.map(({ address }) => ({ interface: name, address })));
  const [ipv4, ipv6] = await Promise.all(['/proc/net/route', '/proc/net/ipv6_route'].map((file) => readFile(file, 'utf8').catch(() => '')));
  return { interfaces, routes: [...parseIpv4Routes(ipv4 ?? ''), ...parseIpv6Routes(ipv6 ?? '')] };
}

/** The hosts file first, then the system's resolver. A lookup cannot be stopped and holds one of libuv's threads, which the file mostly spares. */
export const lookupHost: Lookup = async (name) => {
  const listed = addressesInHosts(await readFile('/etc/hosts', 'utf8').catch(() => ''), name);
  if (listed.length > 0) return listed;
  return (await dnsLookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address);
};

/** The addresses a hosts file gives to a name. */
export function addressesInHosts(text: string, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return text.split('\n').flatMap((line): readonly string[] => {
    const [address, ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    return address !== undefined && names.includes(wanted) ? [address] : [];
  });
}

/** What the configuration's defaults need to know of this machine: its name, and its address or the loopback one. Takes 2 s at most. */
export async function gatherHostFacts(signal?: AbortSignal): Promise<{ readonly hostname: string; readonly localIP: string }> {
  const name = hostname();
  const network = await gatherNetwork();
  const { address } = await resolveNodeAddress({ ...network, customInterfaceName: '', nodeIP: '', hostname: name, lookup: lookupHost, ...(signal === undefined ? {} : { signal }) });
  return { hostname: name, localIP: address ?? '127.0.0.1' };
}
