import type { NodeIdentity } from '@edge/core';
import type { NodePair } from '../certificates/pair.js';
import type { EdgeHubConfig } from '../config.js';
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
