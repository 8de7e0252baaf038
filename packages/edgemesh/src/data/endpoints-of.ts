import type { KubeObject } from '@edge/protocol';
import { canonicalAddress } from './addresses.js';
import { fieldsOf, labelsOf, listOf, portOf, protocolOf, textOf, textsOf, type Fields } from './objects.js';
import type { Endpoint, Host } from './service-table.js';

/** Addresses that serve the same ports: what an EndpointSlice is, and one subset of Endpoints. */
export interface EndpointGroup {
  readonly hosts: readonly Host[];
  readonly ports: readonly { readonly name: string; readonly protocol: 'TCP' | 'UDP'; readonly port: number; readonly appProtocol?: string }[];
}

/** Name of the service that an EndpointSlice belongs to; undefined for one that belongs to none. */
export function serviceOfSlice(slice: KubeObject): string | undefined {
  return textOf(labelsOf(slice)['kubernetes.io/service-name']);
}

/** Conditions that are not told: ready, serving unless told otherwise, not terminating (API of `discovery.k8s.io/v1`). */
export function sliceGroup(slice: KubeObject): EndpointGroup {
  const { addressType, endpoints, ports } = slice as unknown as Fields;
  // Names in place of addresses are for nobody yet; upstream's proxies skip them too.
  if (addressType === 'FQDN') return { hosts: [], ports: [] };
  const hosts = listOf(endpoints).flatMap((endpoint): Host[] => {
    const conditions = fieldsOf(endpoint.conditions);
    const ready = conditions.ready !== false;
    const state = { ready, serving: typeof conditions.serving === 'boolean' ? conditions.serving : ready, terminating: conditions.terminating === true };
    // The addresses of one endpoint are interchangeable, and consumers take the first.
    return hostOf(textsOf(endpoint.addresses)[0], endpoint, state);
  });
  return { hosts, ports: portsOf(ports) };
}

/** An Endpoints object, for clouds that have no EndpointSlices. */
export function endpointsGroups(object: KubeObject): readonly EndpointGroup[] {
  return listOf((object as unknown as Fields).subsets).map((subset) => ({
    hosts: [
      ...listOf(subset.addresses).flatMap((address) => hostOf(address.ip, address, { ready: true, serving: true, terminating: false })),
      ...listOf(subset.notReadyAddresses).flatMap((address) => hostOf(address.ip, address, { ready: false, serving: false, terminating: false })),
    ],
    ports: portsOf(subset.ports),
  }));
}

/** Endpoints of the port with that name, each address and port once: a pod on its way from one slice to another is in both. */
export function endpointsFor(groups: readonly EndpointGroup[], name: string, protocol: 'TCP' | 'UDP'): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const { hosts, ports } of groups) {
    for (const port of ports) {
      if (port.name !== name || port.protocol !== protocol) continue;
      for (const host of hosts) keepBetter(found, `${host.address} ${port.port}`, { ...host, port: port.port });
    }
  }
  return inOrder(found);
}

/** All addresses, each once. */
export function hostsFor(groups: readonly EndpointGroup[]): readonly Host[] {
  const found = new Map<string, Host>();
  for (const { hosts } of groups) for (const host of hosts) keepBetter(found, host.address, host);
  return inOrder(found);
}

function keepBetter<T extends Host>(found: Map<string, T>, key: string, candidate: T): void {
  const there = found.get(key);
  if (there === undefined || (!there.ready && candidate.ready)) found.set(key, candidate);
}

/** The same in whatever order the objects came, so that nothing has to be written anew that has not changed. */
function inOrder<T>(found: ReadonlyMap<string, T>): readonly T[] {
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function hostOf(given: unknown, { nodeName, hostname, zone }: Fields, state: { ready: boolean; serving: boolean; terminating: boolean }): Host[] {
  const address = canonicalAddress(given);
  if (address === undefined) return [];
  return [{
    address, ...state,
    ...(textOf(nodeName) === undefined ? {} : { nodeName: nodeName as string }),
    ...(textOf(hostname) === undefined ? {} : { hostname: hostname as string }),
    ...(textOf(zone) === undefined ? {} : { zone: zone as string }),
  }];
}

function portsOf(ports: unknown): EndpointGroup['ports'] {
  return listOf(ports).flatMap((given) => {
    const port = portOf(given.port);
    const protocol = protocolOf(given.protocol);
    if (port === undefined || protocol === undefined) return [];
    const appProtocol = textOf(given.appProtocol);
    return [{ name: textOf(given.name) ?? '', protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}
