import { networkInterfaces } from 'node:os';

/** True for an address that is this machine, by whatever name. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '').toLowerCase();
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1] ?? plain;
  if (/^(127|0)\./.test(ipv4) || plain === '::1' || plain === '::') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address.toLowerCase() === ipv4));
}

/** True for an address or name that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host);
}
