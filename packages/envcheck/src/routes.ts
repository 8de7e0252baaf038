import type { Family } from './ip.js';

/** A default route. With several of a family the smallest metric wins. */
export interface DefaultRoute {
  readonly family: Family;
  readonly interface: string;
  readonly metric: number;
}

const UP = 0x1;
const REJECT = 0x200;

/** Default routes in the text of /proc/net/route. Those without a gateway count: mobile and point-to-point links have none. */
export function parseIpv4Routes(text: string): readonly DefaultRoute[] {
  return text.split('\n').slice(1).flatMap((line): readonly DefaultRoute[] => {
    const [name, destination, , flags = '', , , metric, mask] = line.trim().split(/\s+/);
    if (name === undefined || destination !== '00000000' || mask !== '00000000' || !usable(flags)) return [];
    return [{ family: 4, interface: name, metric: Number(metric) }];
  });
}

/** Default routes in the text of /proc/net/ipv6_route, where the kernel also lists one that rejects everything. */
export function parseIpv6Routes(text: string): readonly DefaultRoute[] {
  return text.split('\n').flatMap((line): readonly DefaultRoute[] => {
    const [destination, prefix, , , , metric = '', , , flags = '', name] = line.trim().split(/\s+/);
    if (name === undefined || name === 'lo' || prefix !== '00' || !/^0{32}$/.test(destination ?? '') || !usable(flags)) return [];
    return [{ family: 6, interface: name, metric: Number.parseInt(metric, 16) }];
  });
}

function usable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & UP) !== 0 && (bits & REJECT) === 0;
}
