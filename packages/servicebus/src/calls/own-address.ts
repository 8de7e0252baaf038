import { networkInterfaces } from 'node:os';

/** True for an address that is this machine, by whatever name. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '').toLowerCase();
  const ipv4 = mappedIpv4(plain) ?? plain;
  if (/^(127|0)\./.test(ipv4) || plain === '::1' || plain === '::') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address.toLowerCase() === ipv4));
}

/** The IPv4 address within `::ffff:127.0.0.1`, which a URL writes `::ffff:7f00:1`. */
function mappedIpv4(address: string): string | undefined {
  const groups = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)?.slice(1).map((group) => Number.parseInt(group, 16));
  return groups === undefined ? /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] : groups.flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

/** True for an address or name that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host);
}
