import type { Socket } from 'node:net';
import type { Backend } from './backends.js';
import { dial } from './dial.js';
import type { ProxyLimits } from './limits.js';
import { relay } from './relay.js';

/** Carries one connection of a client, whatever is spoken on it. */
export async function carryTcp(client: Socket, backend: Backend | undefined, limits: ProxyLimits): Promise<void> {
  // Until the relay listens; a client that breaks meanwhile is gone, no more.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  const dialed = backend && (await dial(backend, client.remoteAddress ?? '', limits, () => !client.destroyed));
  if (dialed === undefined) {
    // As if nobody listened.
    client.resetAndDestroy();
    return;
  }
  try {
    client.setNoDelay(true);
    await relay(client, dialed.socket, limits);
  } finally {
    dialed.closed();
  }
}
