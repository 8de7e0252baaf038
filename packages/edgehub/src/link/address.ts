import { EdgeError } from '@edge/core';
import { EdgeHubErrors } from '../errors.js';

export interface Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`, `[v6]:port`, and the same with `https://` or `wss://` before and a path behind.
 * @throws EdgeError `edgehub.bad-address`
 */
export function parseAddress(text: string, defaultPort: number): Address {
  const bare = text.trim().replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+))(?::(\d+))?$/.exec(bare);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? defaultPort);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new EdgeError(EdgeHubErrors.badAddress, `"${text}" is no address: write host:port, for example 10.0.0.1:${defaultPort} or [2001:db8::1]:${defaultPort}`);
  }
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
