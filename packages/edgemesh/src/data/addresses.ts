import { isIP, isIPv4, SocketAddress } from 'node:net';

/** An address in the one way of writing that is used for comparing; undefined for what is none. */
export function canonicalAddress(text: unknown): string | undefined {
  if (typeof text !== 'string' || isIP(text) === 0 || text.includes('%')) return undefined;
  if (isIPv4(text)) return text;
  return new SocketAddress({ address: text, family: 'ipv6' }).address;
}
