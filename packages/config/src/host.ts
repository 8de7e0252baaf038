import { isNodeName } from './node-name.js';

/** What the defaults depend on. Gathered by the program, so that this package reads no network and no host name. */
export interface HostFacts {
  /** The operating system's host name, as it is. */
  readonly hostname: string;
  /** The address that the default server addresses are built from; a literal, IPv4 or IPv6 without brackets. */
  readonly localIP: string;
}

/** The node name a host gets when none is configured: its lower-cased name, or a fixed one where that is not allowed. */
export function defaultNodeName(host: HostFacts): string {
  const name = host.hostname.toLowerCase();
  return isNodeName(name) ? name : 'default-edge-node';
}
