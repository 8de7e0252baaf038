import { canonical, familyOf, unusable, type Family } from './ip.js';
import type { DefaultRoute } from './routes.js';

/** An address this machine has. */
export interface LocalAddress {
  readonly interface: string;
  readonly address: string;
}

export interface NetworkFacts {
  readonly interfaces: readonly LocalAddress[];
  readonly routes: readonly DefaultRoute[];
}

/** Bridges and tunnels made for containers: they have addresses that nobody outside can reach. */
const INTERNAL = /^(docker|br-|cni|flannel|cali|cilium|weave|lxc|lxd|veth|virbr|podman|nerdctl|kube-|nodelocaldns|edgemesh|tunl|vxlan)/;
const FAMILIES: readonly Family[] = [4, 6];

/** What can be a node's address: present here, and not loopback, multicast, link-local or unspecified. IPv4 first, container bridges last. */
export function candidates(facts: NetworkFacts): readonly LocalAddress[] {
  const usable = facts.interfaces.flatMap((local): readonly LocalAddress[] => {
    const address = canonical(local.address);
    return address === undefined || unusable(address) !== undefined ? [] : [{ ...local, address }];
  });
  const rank = (local: LocalAddress): number => (INTERNAL.test(local.interface) ? 10 : 0) + familyOf(local.address);
  return [...usable].sort((a, b) => rank(a) - rank(b));
}

/** The candidate on the interface that traffic to the world leaves by, IPv4's before IPv6's; `undefined` when none is there. */
export function onDefaultRoute(addresses: readonly LocalAddress[], routes: readonly DefaultRoute[]): LocalAddress | undefined {
  for (const family of FAMILIES) {
    const best = routes.filter((route) => route.family === family).sort((a, b) => a.metric - b.metric);
    for (const route of best) {
      const found = addresses.find((local) => familyOf(local.address) === family && deviceOf(local.interface) === route.interface);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Of several addresses of the host name the default route decides; where it does not, IPv4 and real interfaces go first. */
export function amongNamed(named: readonly string[], facts: NetworkFacts): LocalAddress | undefined {
  const wanted = new Set(named.map(canonical));
  const present = candidates(facts).filter((local) => wanted.has(local.address));
  return present.length > 1 ? (onDefaultRoute(present, facts.routes) ?? present[0]) : present[0];
}

/** `eth0:1` is a second address of `eth0`. */
const deviceOf = (name: string): string => name.replace(/:.*$/, '');
