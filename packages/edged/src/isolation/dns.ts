import { isIPv6 } from 'node:net';
import type { Pod } from '@edge/protocol';
import { mergeOptions, NO_RESOLVER, type Resolver } from './resolver-file.js';

export interface DnsSettings {
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** The file that pods inherit from; empty for none. */
  readonly resolverFile: string;
}

export interface PodDns {
  readonly dns: Resolver;
  /** For people: what was left out, and why. */
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

const MOST_SERVERS = 3;
const MOST_SEARCHES = 32;
const LONGEST_SEARCH_LIST = 2048;
/** Some resolvers end their process at a longer one. */
const LONGEST_SEARCH = 253;

/**
 * How the processes of a pod find names. Pure.
 * @param host what pods inherit
 * @param nodeIPs tell which loopback address stands for "ask the machine" when pods inherit nothing
 */
export function podDns(pod: Pod, host: Resolver, nodeIPs: readonly string[], settings: DnsSettings): PodDns {
  const warnings: PodDns['warnings'][number][] = [];
  const policy = effectivePolicy(pod);
  const cluster = policy === 'ClusterFirst' && settings.clusterDNS.length > 0;
  if (policy === 'ClusterFirst' && !cluster) {
    const message = 'clusterDNS is not configured on this node, so dnsPolicy ClusterFirst is treated as Default';
    warnings.push({ reason: 'MissingClusterDNS', message });
  }
  const base = policy === 'None' ? NO_RESOLVER : cluster ? clusterResolver(pod, host, settings) : hostResolver(host, nodeIPs, settings);
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const wanted = {
    servers: unique([...base.servers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: mergeOptions(
      base.options,
      options.map(({ name, value }) => (value === undefined || value === '' ? name : `${name}:${value}`)),
    ),
  };
  const dns = { ...wanted, servers: wanted.servers.slice(0, MOST_SERVERS), searches: fittingSearches(wanted.searches) };
  for (const part of ['servers', 'searches'] as const) {
    if (dns[part].length === wanted[part].length) continue;
    warnings.push({ reason: 'DNSConfigForming', message: `there are too many DNS ${part} or they are too long, used are: ${dns[part].join(' ')}` });
  }
  return { dns, warnings };
}

function effectivePolicy(pod: Pod): 'ClusterFirst' | 'Default' | 'None' {
  const { dnsPolicy = 'ClusterFirst', hostNetwork } = pod.spec;
  if (dnsPolicy === 'ClusterFirstWithHostNet') return 'ClusterFirst';
  return dnsPolicy === 'ClusterFirst' && hostNetwork ? 'Default' : dnsPolicy;
}

function clusterResolver(pod: Pod, host: Resolver, { clusterDNS, clusterDomain }: DnsSettings): Resolver {
  const own = clusterDomain === '' ? [] : [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { servers: clusterDNS, searches: unique([...own, ...host.searches]), options: ['ndots:5'] };
}

function hostResolver(host: Resolver, nodeIPs: readonly string[], { resolverFile }: DnsSettings): Resolver {
  if (resolverFile !== '') return host;
  const loopback = unique(nodeIPs.map((ip) => (isIPv6(ip) ? '::1' : '127.0.0.1')));
  return { servers: loopback.length > 0 ? loopback : ['127.0.0.1'], searches: ['.'], options: [] };
}

function fittingSearches(searches: readonly string[]): string[] {
  const fitting = searches.slice(0, MOST_SEARCHES).filter(({ length }) => length <= LONGEST_SEARCH);
  while (fitting.join(' ').length > LONGEST_SEARCH_LIST) fitting.pop();
  return fitting;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
