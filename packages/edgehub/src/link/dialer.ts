import { errorCode, type NodeIdentity } from '@edge/core';
import { httpsGet } from '../certificates/https-get.js';
import type { NodePair } from '../certificates/pair.js';
import type { EdgeHubConfig } from '../config.js';
import { EdgeHubErrors } from '../errors.js';
import { parseAddress } from './address.js';
import { openChannel, type Channel } from './channel.js';

const DEFAULT_PORT = 10_000;
/** Silence after which an attempt is hopeless; short, because a path that has just come back answers at once. */
const STALL_MS = 4000;
/** Larger than any Kubernetes object can be; protects the memory of small machines. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** One attempt to open the link, with upstream's address and headers. Throws as `openChannel` does. */
export function dial(config: EdgeHubConfig, identity: NodeIdentity, pair: NodePair, signal: AbortSignal): Promise<Channel> {
  return openChannel({
    address: parseAddress(config.websocket.server, DEFAULT_PORT),
    path: `/${encodeURIComponent(config.projectID)}/${encodeURIComponent(identity.name)}/events`,
    // Exactly what CloudHub has always seen. Without ConnectionUse it would never read.
    headers: { 'User-Agent': 'Go-http-client/1.1', ConnectionUse: 'msg', node_id: identity.name, project_id: config.projectID },
    ca: pair.ca,
    certificate: pair.certificate,
    privateKey: pair.privateKey,
    maxFrameBytes: MAX_FRAME_BYTES,
    stallMs: STALL_MS,
    limitMs: config.websocket.handshakeTimeout * 1000,
    signal,
  });
}

/** CloudHub refuses a plain GET, but only after it has taken the certificate. */
const TAKEN: ReadonlySet<string> = new Set([EdgeHubErrors.httpStatus, EdgeHubErrors.httpTooLarge, EdgeHubErrors.httpTimeout]);

/** Whether the hub takes the pair, found out without a session of its own. Throws as `httpsGet` does when it does not. */
export async function tryPair(config: EdgeHubConfig, pair: NodePair, signal: AbortSignal): Promise<void> {
  const address = parseAddress(config.websocket.server, DEFAULT_PORT);
  try {
    await httpsGet({ address, path: '/', ca: pair.ca, certificate: pair.certificate, privateKey: pair.privateKey, signal });
  } catch (error) {
    if (!TAKEN.has(errorCode(error))) throw error;
  }
}
