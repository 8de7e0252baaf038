import { isIP, isIPv4 } from 'node:net';
import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';
import { isFields } from '@edge/protocol';
import type { ApiPlace } from './data/own-api.js';
import { parseWaysConfig, type WaysConfig } from './ways-config.js';

/** The slice `edge.edgeMesh`, and what it needs of the others. */
export interface EdgeMeshConfig {
  /** Default false. */
  readonly enable: boolean;
  /** The node's own address for its services, on a link made for it. Default 169.254.96.17. */
  readonly address: string;
  /** Default true. */
  readonly dns: DnsConfig;
  readonly proxy: WaysConfig;
  /** `modules.edged.tailoredKubeletConfig.clusterDomain`, `cluster.local` when that is empty. */
  readonly clusterDomain: string;
  /** Where pods reach the node's own API; undefined when it is off. */
  readonly api: ApiPlace | undefined;
}

export interface DnsConfig {
  /** Default true. */
  readonly enable: boolean;
  /** Default 53. */
  readonly port: number;
  /** Who is asked for all other names, `address` or `address:port`, `[address]:port`; empty: those of the resolver file. */
  readonly upstream: readonly Server[];
  /** The node's own resolver file: `modules.edged.tailoredKubeletConfig.resolvConf`, /etc/resolv.conf when that is empty. */
  readonly resolverFile: string;
  /** Seconds that answers about services may be kept. Default 5. */
  readonly ttlSeconds: number;
  /** Answers of others that are kept. Default 4096. */
  readonly cacheEntries: number;
}

export interface Server {
  readonly address: string;
  readonly port: number;
}

export const EdgeMeshConfig: Token<EdgeMeshConfig> = token<EdgeMeshConfig>('edgemesh', 'EdgeMeshConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'edge.edgeMesh';
const DNS_PATH = `${CONFIG_PATH}.dns`;

type Fields = Readonly<Record<string, unknown>>;

/** @throws EdgeError `config.invalid` naming the member, its value and what would be right */
export function parseEdgeMeshConfig(raw: unknown, root: Fields = {}): EdgeMeshConfig {
  const slice = fields(raw);
  const dns = fields(slice['dns']);
  const kubelet = at(root, 'modules', 'edged', 'tailoredKubeletConfig');
  return {
    enable: flag(slice, CONFIG_PATH, 'enable', false),
    address: ipAddress(slice, 'address', '169.254.96.17'),
    dns: {
      enable: flag(dns, DNS_PATH, 'enable', true),
      port: number(dns, DNS_PATH, 'port', 53, 0, 65_535),
      upstream: servers(dns),
      resolverFile: text(kubelet['resolvConf']) ?? '/etc/resolv.conf',
      ttlSeconds: number(dns, DNS_PATH, 'ttlSeconds', 5, 0, 3600),
      cacheEntries: number(dns, DNS_PATH, 'cacheEntries', 4096, 0, 1_000_000),
    },
    proxy: parseWaysConfig(slice['proxy']),
    clusterDomain: (text(kubelet['clusterDomain']) ?? 'cluster.local').toLowerCase().replace(/\.$/, ''),
    api: apiPlace(root),
  };
}

/** The local API is open to pods only while it asks who they are; else it stays on the loopback, which pods share with nobody. */
function apiPlace(root: Fields): ApiPlace | undefined {
  const metaServer = at(root, 'modules', 'metaManager', 'metaServer');
  if (metaServer['enable'] !== true) return undefined;
  const isGuarded = at(root, 'featureGates')['requireAuthorization'] === true;
  const given = isGuarded ? (text(metaServer['dummyServer']) ?? '169.254.30.10:10550') : (text(metaServer['server']) ?? '127.0.0.1:10550');
  return serverOf(given);
}

/** `address`, `address:port`, `[address]:port`; undefined for anything else. */
export function serverOf(given: string, otherwise = 53): Server | undefined {
  if (isIP(given) !== 0) return { address: given, port: otherwise };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(given);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  return isIP(address) === 0 || port < 1 || port > 65_535 ? undefined : { address, port };
}

function servers(dns: Fields): readonly Server[] {
  const given = dns['upstream'] ?? [];
  const expected = 'a list of addresses, such as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53';
  if (!Array.isArray(given)) throw invalid(`${DNS_PATH}.upstream`, given, expected);
  return given.map((item: unknown, index) => {
    const server = typeof item === 'string' ? serverOf(item) : undefined;
    if (server === undefined) throw invalid(`${DNS_PATH}.upstream[${index}]`, item, 'an address, with or without a port');
    return server;
  });
}

function ipAddress(slice: Fields, name: string, otherwise: string): string {
  const value = slice[name] ?? otherwise;
  // One that others have as well would make this node answer in their place.
  const isOwn = typeof value === 'string' && isIPv4(value) && /^(?:127\.|169\.254\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(value);
  if (!isOwn) throw invalid(`${CONFIG_PATH}.${name}`, value, 'a link-local, loopback or private IPv4 address that nothing else has, such as 169.254.96.17');
  return value;
}

function flag(slice: Fields, path: string, name: string, otherwise: boolean): boolean {
  const value = slice[name] ?? otherwise;
  if (typeof value !== 'boolean') throw invalid(`${path}.${name}`, value, 'true or false');
  return value;
}

function number(slice: Fields, path: string, name: string, otherwise: number, least: number, most: number): number {
  const value = slice[name] ?? otherwise;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) throw invalid(`${path}.${name}`, value, `a whole number from ${least} to ${most}`);
  return value as number;
}

function at(root: unknown, ...path: readonly string[]): Fields {
  return path.reduce<Fields>((value, name) => fields(value[name]), fields(root));
}

const fields = (value: unknown): Fields => (isFields(value) ? value : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function invalid(path: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${expected}`);
}

export const config: ConfigSlice<EdgeMeshConfig> = { path: CONFIG_PATH, token: EdgeMeshConfig, parse: parseEdgeMeshConfig };
