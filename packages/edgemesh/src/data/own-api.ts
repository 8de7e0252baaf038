import type { EndpointGroup } from './endpoints-of.js';

/** Where pods reach the node's own API. */
export interface ApiPlace {
  readonly address: string;
  readonly port: number;
}

const KUBERNETES = 'default/kubernetes';
const isPutIn = (group: EndpointGroup): boolean =>
  group.hosts.length === 1 && group.hosts[0]?.address === '127.0.0.1' && group.ports.some(({ name, port }) => name === 'https' && port === 10_550);

/**
 * CloudCore puts 127.0.0.1:10550, the node's own API, in place of the endpoints of `kubernetes`. A pod's loopback is its own, so
 * it gets the address where that API listens for pods. CloudCore's lists do the same by mistake to any slice with a port named
 * https; what is behind those services is not known then, and nobody is sent to the node's API in its place. [edgemesh-2.6]
 */
export function withOwnApi(service: string, group: EndpointGroup, api: ApiPlace | undefined): EndpointGroup {
  if (!isPutIn(group)) return group;
  if (service !== KUBERNETES || api === undefined) return { ...group, hosts: [] };
  return { hosts: group.hosts.map((host) => ({ ...host, address: api.address })), ports: group.ports.map((port) => (port.name === 'https' ? { ...port, port: api.port } : port)) };
}
