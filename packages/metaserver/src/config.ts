import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';
import { isFields } from '@edge/protocol';

/** The slice `modules.metaManager.metaServer` and `edge.metaServer`. */
export interface MetaServerConfig {
  /** Whether the module runs: for clients, or because the mesh needs what it follows. */
  readonly enable: boolean;
  /** `enable` in the file: clients are served. Default false, as upstream. */
  readonly isServing: boolean;
  /** `edge.edgeMesh.enable`: services and what is behind them are followed. */
  readonly isForMesh: boolean;
  /** Where it listens. Default 127.0.0.1:10550. */
  readonly server: Address;
  /** Where it listens for pods while authorization is required, on a link made for it. Default 169.254.30.10:10550. */
  readonly dummyServer: Address;
  /** Authority of the node's own certificate, PEM: clients with certificates of it are known. */
  readonly tlsCaFile: string;
  /** Issuers of tokens that are accepted. */
  readonly issuers: readonly string[];
  /** A token is accepted when it is for one of these; the issuers unless configured. */
  readonly audiences: readonly string[];
  /** Files with the public keys that sign tokens; none: a token must be one of those that are stored on the node. */
  readonly keyFiles: readonly string[];
  /** Folder of the serving certificate and the cluster's authority. Default /etc/kubeedge/pki/metaserver, as upstream. */
  readonly certificateDirectory: string;
}

export interface Address {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

export const MetaServerConfig: Token<MetaServerConfig> = token<MetaServerConfig>('metaserver', 'MetaServerConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.metaManager.metaServer';
const OWN_PATH = 'edge.metaServer';

type Fields = Readonly<Record<string, unknown>>;

/** @throws EdgeError `config.invalid` naming the member, its value and what would be right */
export function parseMetaServerConfig(raw: unknown, root: Fields = {}): MetaServerConfig {
  const slice = (raw ?? {}) as Fields;
  const edge = isFields(root['edge']) ? root['edge'] : {};
  const own = isFields(edge['metaServer']) ? edge['metaServer'] : {};
  const mesh = isFields(edge['edgeMesh']) ? edge['edgeMesh'] : {};
  const { enable: isServing = false } = slice;
  if (typeof isServing !== 'boolean') throw invalid(`${CONFIG_PATH}.enable`, isServing, 'true or false');
  const isForMesh = mesh['enable'] === true;
  const issuers = texts(slice, 'serviceAccountIssuers') ?? ['https://kubernetes.default.svc.cluster.local'];
  const audiences = texts(slice, 'apiAudiences') ?? [];
  return {
    enable: isServing || isForMesh,
    isServing,
    isForMesh,
    server: address(slice, 'server', '127.0.0.1:10550'),
    dummyServer: address(slice, 'dummyServer', '169.254.30.10:10550'),
    tlsCaFile: text(slice, CONFIG_PATH, 'tlsCaFile', '/etc/kubeedge/ca/rootCA.crt'),
    issuers,
    audiences: audiences.length > 0 ? audiences : issuers,
    keyFiles: texts(slice, 'serviceAccountKeyFiles') ?? [],
    certificateDirectory: text(own, OWN_PATH, 'certificateDirectory', '/etc/kubeedge/pki/metaserver'),
  };
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host);
}

/** What the serving certificate has to be good for. */
export function servingNames({ server, dummyServer }: MetaServerConfig): readonly string[] {
  return [...new Set([server.host, dummyServer.host])];
}

export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function address(fields: Fields, name: string, otherwise: string): Address {
  const value = fields[name] ?? otherwise;
  const match = typeof value === 'string' ? /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value) : null;
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw invalid(`${CONFIG_PATH}.${name}`, value, 'host:port, such as 127.0.0.1:10550');
  return { host: (match[1] ?? match[2]) as string, port };
}

function text(fields: Fields, path: string, name: string, otherwise: string): string {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'string' || value === '') throw invalid(`${path}.${name}`, value, 'a path');
  return value;
}

function texts(fields: Fields, name: string): readonly string[] | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item !== '')) throw invalid(`${CONFIG_PATH}.${name}`, value, 'a list of texts');
  return value as string[];
}

function invalid(path: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${expected}`);
}

export const config: ConfigSlice<MetaServerConfig> = { path: CONFIG_PATH, token: MetaServerConfig, parse: parseMetaServerConfig };
