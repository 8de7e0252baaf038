import { isIP } from 'node:net';
import type { MeshService, ServiceTable } from '../data/service-table.js';
import { addressOfReverse, undashed } from './reverse-names.js';
import { addressRecord, hostLabel, hostsOf, portRecords } from './service-records.js';
import { lowerCase, parseName, type Name } from './wire/names.js';
import { IN, Rcodes, Types, type DnsRecord, type Query } from './wire/types.js';
import type { Answer } from './wire/write-answer.js';
import type { ZoneIndex } from './zone-index.js';

/** What the node says to a question: the whole answer; or a name that stands for another, to be asked elsewhere. */
export type Known = { readonly kind: 'answer'; readonly answer: Answer } | { readonly kind: 'alias'; readonly record: DnsRecord; readonly target: Name };

/** The version of the rules for names that are followed (Kubernetes DNS-Based Service Discovery). */
const RULES = '1.1.0';
const CLASS_ANY = 255;
/** Names that stand for others within the cluster, one after the other. */
const MOST_ALIASES = 8;

export interface ZoneDeps {
  readonly table: ServiceTable;
  readonly index: ZoneIndex;
  readonly clusterDomain: string;
  readonly ttlSeconds: number;
  /** Where the server itself is. */
  readonly address: string;
}

type Found = { readonly records: readonly DnsRecord[]; readonly additional?: readonly DnsRecord[] } | { readonly alias: string } | 'nothing';

/**
 * Names and addresses of services, as Kubernetes has them. Everything in the cluster's domain is answered here, online and offline;
 * of reverse names those that the table knows. [edgemesh-4]
 */
export class Zone {
  readonly #deps: ZoneDeps;
  readonly #origin: Name;
  readonly #lowerOrigin: Name;

  constructor(deps: ZoneDeps) {
    this.#deps = deps;
    this.#origin = parseName(deps.clusterDomain) ?? ['cluster', 'local'];
    this.#lowerOrigin = this.#origin.map(lowerCase);
  }

  /** @returns undefined for what is nobody's here */
  answer(query: Query): Known | undefined {
    if (query.class !== IN && query.class !== CLASS_ANY) return undefined;
    const inside = this.#inside(query.name);
    if (inside === undefined) return this.#reverse(query);
    if (query.type === Types.AXFR || query.type === Types.IXFR) return { kind: 'answer', answer: plain(Rcodes.refused) };
    return this.#follow(query, query.name, inside, [], 0);
  }

  #follow(query: Query, name: Name, inside: Name, before: readonly DnsRecord[], depth: number): Known {
    const found = this.#lookUp(inside, name, query.type);
    if (found === 'nothing') return this.#denied(before, Rcodes.nxDomain);
    if (!('alias' in found)) {
      const answers = [...before, ...found.records];
      return answers.length === before.length ? this.#denied(before, Rcodes.noError)
        : { kind: 'answer', answer: { rcode: Rcodes.noError, authoritative: true, answers, authority: [], additional: found.additional ?? [] } };
    }
    // What looks like an address is one, though it should not be written so.
    if (isIP(found.alias) !== 0) {
      const records = this.#addresses(name, [found.alias], query.type);
      return records.length === 0 ? this.#denied(before, Rcodes.noError) : { kind: 'answer', answer: { ...plain(Rcodes.noError), authoritative: true, answers: [...before, ...records] } };
    }
    const target = parseName(found.alias);
    if (target === undefined || depth >= MOST_ALIASES) return { kind: 'answer', answer: plain(Rcodes.servFail) };
    const record: DnsRecord = { name, ttl: this.#deps.ttlSeconds, type: 'CNAME', target };
    const insideToo = this.#inside(target);
    if (query.type === Types.CNAME) return { kind: 'answer', answer: { ...plain(Rcodes.noError), authoritative: true, answers: [...before, record] } };
    if (insideToo !== undefined) return this.#follow(query, target, insideToo, [...before, record], depth + 1);
    return before.length > 0 ? { kind: 'answer', answer: { ...plain(Rcodes.noError), authoritative: true, answers: [...before, record] } } : { kind: 'alias', record, target };
  }

  /** Labels before the cluster's domain; undefined for a name elsewhere. */
  #inside(name: Name): Name | undefined {
    const own = name.length - this.#origin.length;
    if (own < 0 || this.#lowerOrigin.some((label, index) => lowerCase(name[own + index] as string) !== label)) return undefined;
    return name.slice(0, own).map(lowerCase);
  }

  #lookUp(inside: Name, name: Name, type: number): Found {
    const labels = [...inside].reverse();
    const [kind, namespace, ...rest] = labels;
    const base = name.slice(-(this.#origin.length + 3));
    if (kind === undefined) return { records: this.#apex(name, type) };
    if (kind === 'dns-version' && labels.length === 1) return { records: type === Types.TXT || type === Types.ANY ? [{ name, ttl: this.#deps.ttlSeconds, type: 'TXT', text: RULES }] : [] };
    if (kind === 'dns' && namespace === 'ns' && rest.length === 0) return { records: this.#addresses(name, [this.#deps.address], type) };
    if (kind === 'pod') return this.#pod(namespace, rest, name, type);
    if (kind !== 'svc') return 'nothing';
    if (namespace === undefined) return { records: [] };
    const [serviceName, first, second, ...more] = rest;
    if (serviceName === undefined) return this.#deps.index.hasNamespace(namespace) ? { records: [] } : 'nothing';
    const service = this.#deps.table.get(namespace, serviceName);
    if (service === undefined || more.length > 0) return 'nothing';
    if (service.externalName !== undefined) return first === undefined ? { alias: service.externalName } : 'nothing';
    if (first === undefined) return this.#service(service, name, type);
    if (first.startsWith('_')) return this.#port(service, name, base, type, first, second);
    return second === undefined ? this.#host(service, first, name, type) : 'nothing';
  }

  #service(service: MeshService, name: Name, type: number): Found {
    const { ttlSeconds } = this.#deps;
    const addresses = service.headless ? [...new Set(service.hosts.filter(({ ready }) => ready).map(({ address }) => address))] : service.clusterIPs;
    // A headless service with nothing behind it has no name (Kubernetes' rules, 2.4.1).
    if (service.headless && addresses.length === 0) return 'nothing';
    if (type === Types.SRV) return recordsOf(portRecords(service, name, name, ttlSeconds));
    return { records: this.#addresses(name, addresses, type) };
  }

  /** `_PORT._PROTOCOL.SERVICE`, and the name between. */
  #port(service: MeshService, name: Name, base: Name, type: number, protocol: string, port: string | undefined): Found {
    const found = portRecords(service, name, base, this.#deps.ttlSeconds, port?.startsWith('_') ? port.slice(1) : port, protocol.slice(1));
    if (found === undefined || (port !== undefined && !port.startsWith('_')) || (service.headless && found.answers.length === 0)) return 'nothing';
    return type === Types.SRV || type === Types.ANY ? (port === undefined ? { records: [] } : recordsOf(found)) : { records: [] };
  }

  #host(service: MeshService, label: string, name: Name, type: number): Found {
    const hosts = hostsOf(service).filter((host) => hostLabel(host).toLowerCase() === label);
    if (hosts.length === 0) return 'nothing';
    return { records: this.#addresses(name, [...new Set(hosts.map(({ address }) => address))], type) };
  }

  /** `1-2-3-4.NAMESPACE.pod`: the address is in the name, and whether a pod has it is not looked at, as CoreDNS is set up by kubeadm. */
  #pod(namespace: string | undefined, [label, ...more]: Name, name: Name, type: number): Found {
    if (namespace === undefined || label === undefined) return { records: [] };
    const address = more.length === 0 ? undashed(label) : undefined;
    return address === undefined ? 'nothing' : { records: this.#addresses(name, [address], type) };
  }

  #apex(name: Name, type: number): readonly DnsRecord[] {
    if (type === Types.SOA) return [this.#authority()];
    return type === Types.NS ? [{ name, ttl: this.#deps.ttlSeconds, type: 'NS', target: ['ns', 'dns', ...this.#origin] }] : [];
  }

  #addresses(name: Name, addresses: readonly string[], type: number): readonly DnsRecord[] {
    const records = addresses.map((address) => addressRecord(name, this.#deps.ttlSeconds, address));
    return records.filter((record) => type === Types.ANY || Types[record.type] === type);
  }

  #reverse(query: Query): Known | undefined {
    const address = addressOfReverse(query.name);
    if (address === undefined) return undefined;
    const { table, index, ttlSeconds } = this.#deps;
    const service = table.byAddress(address);
    const names = service !== undefined ? [this.#nameOf(service)] : index.hosts(address).map(([owner, host]) => [hostLabel(host), ...this.#nameOf(owner)]);
    if (names.length === 0) return undefined;
    if (query.type !== Types.PTR && query.type !== Types.ANY) return this.#denied([], Rcodes.noError);
    const answers = names.map((target): DnsRecord => ({ name: query.name, ttl: ttlSeconds, type: 'PTR', target }));
    return { kind: 'answer', answer: { ...plain(Rcodes.noError), authoritative: true, answers } };
  }

  #nameOf({ name, namespace }: MeshService): Name {
    return [name, namespace, 'svc', ...this.#origin];
  }

  #denied(answers: readonly DnsRecord[], rcode: number): Known {
    return { kind: 'answer', answer: { rcode, authoritative: true, answers, authority: [this.#authority()], additional: [] } };
  }

  /** The serial says nothing: nobody copies this zone. */
  #authority(): DnsRecord {
    const { ttlSeconds } = this.#deps;
    return { name: this.#origin, ttl: ttlSeconds, type: 'SOA', primary: ['ns', 'dns', ...this.#origin], mailbox: ['hostmaster', ...this.#origin], serial: 1, minimum: ttlSeconds };
  }
}

const plain = (rcode: number): Answer => ({ rcode, authoritative: false, answers: [], authority: [], additional: [] });

function recordsOf(found: { readonly answers: readonly DnsRecord[]; readonly additional: readonly DnsRecord[] } | undefined): Found {
  return found === undefined ? { records: [] } : { records: found.answers, additional: found.additional };
}
