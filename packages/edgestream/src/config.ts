import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';

/** The slice `modules.edgeStream`, as far as it is used. */
export interface EdgeStreamConfig {
  /** Default false, as upstream. */
  readonly enable: boolean;
  /** The cloud's end. Default 127.0.0.1:10004. */
  readonly server: { readonly host: string; readonly port: number };
  /** Seconds for one attempt to open the tunnel. Default 30. */
  readonly handshakeTimeout: number;
}

export const EdgeStreamConfig: Token<EdgeStreamConfig> = token<EdgeStreamConfig>('edgestream', 'EdgeStreamConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.edgeStream';

/** @throws EdgeError `config.invalid` naming the member, its value and what would be right */
export function parseEdgeStreamConfig(raw: unknown): EdgeStreamConfig {
  const { enable = false, server = '127.0.0.1:10004', handshakeTimeout = 30 } = (raw ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof enable !== 'boolean') throw invalid('enable', enable, 'true or false');
  if (typeof handshakeTimeout !== 'number' || !(handshakeTimeout > 0)) throw invalid('handshakeTimeout', handshakeTimeout, 'a number of seconds above 0');
  return { enable, server: parseServer(server), handshakeTimeout };
}

function parseServer(value: unknown): EdgeStreamConfig['server'] {
  const match = typeof value === 'string' ? /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(value.trim()) : null;
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw invalid('server', value, 'host:port, such as 10.0.0.1:10004 or [2001:db8::1]:10004');
  return { host: (match[1] ?? match[2]) as string, port };
}

function invalid(name: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${CONFIG_PATH}.${name} is ${JSON.stringify(value)}, it must be ${expected}`);
}

export const config: ConfigSlice<EdgeStreamConfig> = { path: CONFIG_PATH, token: EdgeStreamConfig, parse: parseEdgeStreamConfig };
