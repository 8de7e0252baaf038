import { isIPv4 } from 'node:net';
import type { Endpoint, Host, MeshService } from '../data/service-table.js';
import { dashed } from './reverse-names.js';
import type { Name } from './wire/names.js';
import type { DnsRecord } from './wire/types.js';

/** Records about one service. Names and lives are the caller's. */
export interface Records {
  readonly answers: readonly DnsRecord[];
  /** Addresses of the names in the answers. */
  readonly additional: readonly DnsRecord[];
}

export function addressRecord(name: Name, ttl: number, address: string): DnsRecord {
  return { name, ttl, type: isIPv4(address) ? 'A' : 'AAAA', address };
}

/** The label of one host of a service: its own name, or its address with dashes. */
export const hostLabel = ({ hostname, address }: Host): string => hostname ?? dashed(address);

/** Hosts that may be named: those of a headless service, and the endpoints of any other. */
export function hostsOf(service: MeshService): readonly Host[] {
  const hosts = service.headless ? service.hosts : service.ports.flatMap(({ endpoints }) => endpoints);
  return hosts.filter(({ ready }) => ready);
}

/** Ports with that name and protocol; without them all. */
function portsOf(service: MeshService, port: string | undefined, protocol: string | undefined): MeshService['ports'] {
  return service.ports.filter(({ name = '', protocol: own }) => (port === undefined || name.toLowerCase() === port) && (protocol === undefined || own.toLowerCase() === protocol));
}

/**
 * Where a service's port is (RFC 2782): the service itself under its cluster address, or each host of a headless one under its own
 * port. All weigh the same.
 * @param base name of the service
 * @returns undefined when there is no such port
 */
export function portRecords(service: MeshService, name: Name, base: Name, ttl: number, port?: string, protocol?: string): Records | undefined {
  const ports = portsOf(service, port, protocol);
  if (ports.length === 0) return undefined;
  const found = service.headless ? ports.flatMap(({ endpoints }) => endpoints.filter(({ ready }) => ready).map((endpoint) => ofHost(endpoint, base))) : ports.map((own) => ({ target: base, port: own.port }));
  const weight = Math.max(1, Math.floor(100 / Math.max(1, found.length)));
  const answers = found.map(({ target, port: number }): DnsRecord => ({ name, ttl, type: 'SRV', priority: 0, weight, port: number, target }));
  const addresses = service.headless ? ports.flatMap(({ endpoints }) => endpoints.filter(({ ready }) => ready).map((endpoint) => addressRecord(ofHost(endpoint, base).target, ttl, endpoint.address)))
    : service.clusterIPs.map((address) => addressRecord(base, ttl, address));
  return { answers, additional: distinct(addresses) };
}

const ofHost = (endpoint: Endpoint, base: Name): { target: Name; port: number } => ({ target: [hostLabel(endpoint), ...base], port: endpoint.port });

/** Several ports of one host have one address. */
function distinct(records: readonly DnsRecord[]): readonly DnsRecord[] {
  const seen = new Map<string, DnsRecord>();
  for (const record of records) seen.set(`${record.name.join('.')} ${'address' in record ? record.address : ''}`, record);
  return [...seen.values()];
}
