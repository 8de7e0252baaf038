import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';

/** The slice `modules.metaManager.metaServer`, as far as it is used. */
export interface MetaServerConfig {
  /** Default false, as upstream. */
  readonly enable: boolean;
  /** Where it listens. Default 127.0.0.1:10550. */
  readonly server: Address;
}

export interface Address {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

export const MetaServerConfig: Token<MetaServerConfig> = token<MetaServerConfig>('metaserver', 'MetaServerConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.metaManager.metaServer';

/** @throws EdgeError `config.invalid` naming the member, its value and what would be right */
export function parseMetaServerConfig(raw: unknown): MetaServerConfig {
  const { enable = false, server = '127.0.0.1:10550' } = (raw ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof enable !== 'boolean') throw invalid('enable', enable, 'true or false');
  return { enable, server: parseAddress('server', server) };
}

function parseAddress(name: string, value: unknown): Address {
  const match = typeof value === 'string' ? /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value) : null;
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw invalid(name, value, 'host:port, such as 127.0.0.1:10550');
  return { host: (match[1] ?? match[2]) as string, port };
}

function invalid(name: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${CONFIG_PATH}.${name} is ${JSON.stringify(value)}, it must be ${expected}`);
}

export const config: ConfigSlice<MetaServerConfig> = { path: CONFIG_PATH, token: MetaServerConfig, parse: parseMetaServerConfig };
