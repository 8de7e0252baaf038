import { BlockList, isIP, SocketAddress } from 'node:net';

export type Family = 4 | 6;

/** The one text of an address: shortest form, lower case, without zone; IPv4 in IPv6 clothes becomes IPv4. `undefined` for no address. */
export function canonical(text: string): string | undefined {
  const bare = text.trim().replace(/%.*$/, '');
  const version = isIP(bare);
  if (version === 0) return undefined;
  const { address } = new SocketAddress({ address: bare, family: version === 4 ? 'ipv4' : 'ipv6' });
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
}

export const familyOf = (address: string): Family => (isIP(address) === 4 ? 4 : 6);

const block = (...subnets: readonly [string, number, 'ipv4' | 'ipv6'][]): BlockList => {
  const list = new BlockList();
  for (const [net, prefix, family] of subnets) list.addSubnet(net, prefix, family);
  return list;
};

const KINDS: readonly (readonly [string, BlockList])[] = [
  ['the unspecified address', block(['0.0.0.0', 32, 'ipv4'], ['::', 128, 'ipv6'])],
  ['a loopback address', block(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6'])],
  ['a multicast address', block(['224.0.0.0', 4, 'ipv4'], ['ff00::', 8, 'ipv6'])],
  ['a link-local address', block(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6'])],
];

/** Why a canonical address can never be a node's, in words; `undefined` when it can. */
export function unusable(address: string): string | undefined {
  const family = familyOf(address) === 4 ? 'ipv4' : 'ipv6';
  return KINDS.find(([, list]) => list.check(address, family))?.[0];
}
