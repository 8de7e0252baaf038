import { connect, type Socket } from 'node:net';
import { endpointKey } from '../balance/endpoint.js';
import type { Endpoint } from '../data/service-table.js';
import type { Backend } from './backends.js';
import type { ProxyLimits } from './limits.js';

/** A connection to an endpoint. */
export interface Dialed {
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  /** The connection is over: the endpoint has one less. */
  readonly closed: () => void;
}

/**
 * Connects to one endpoint after the other until one takes the connection. Nothing has been sent by then, so that this
 * repeats nothing. [edgemesh-43]
 * @param tried keys of endpoints that are not asked; those that fail here are added
 * @returns undefined when there is none, or `isWanted` says no more
 */
export async function dial(backend: Backend, source: string, limits: ProxyLimits, isWanted: () => boolean, tried: Set<string> = new Set()): Promise<Dialed | undefined> {
  for (let attempt = 0; attempt < limits.attempts && isWanted(); attempt += 1) {
    const endpoint = backend.choose(source, tried);
    if (endpoint === undefined) return undefined;
    tried.add(endpointKey(endpoint));
    const closed = backend.opened(endpoint);
    const socket = await connected(endpoint, limits.connectMs);
    if (socket === undefined) {
      closed();
      backend.failed(endpoint);
      continue;
    }
    backend.succeeded(endpoint);
    return { socket, endpoint, closed };
  }
  return undefined;
}

function connected({ address, port }: Endpoint, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => settle(undefined), timeoutMs);
    const fail = (): void => settle(undefined);
    const settle = (result: Socket | undefined): void => {
      clearTimeout(timer);
      // Listens on after a failure: there may be more than one, as with several addresses.
      if (result === undefined) socket.destroy();
      else socket.off('error', fail);
      resolve(result);
    };
    socket.on('error', fail);
    socket.once('connect', () => settle(socket));
  });
}
