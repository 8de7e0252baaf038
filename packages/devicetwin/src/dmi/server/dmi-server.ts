import { ServerCredentials } from '@grpc/grpc-js';
import type { Socket } from 'node:net';
import { backoffDelay, errorText, isAbort, sleep, type Backoff, type Logger } from '@edge/core';
import type { ManagerHandlers } from './handlers.js';
import { managerServer } from './service.js';
import { listenAt } from './socket.js';
import { repairAuthority } from '../authority/repair-authority.js';

const AGAIN: Backoff = { firstMs: 200, factor: 2, limitMs: 5000, jitter: 0.2 };
/** How often the socket's path is looked at: somebody may have cleaned up the folder. */
const LOOK_MS = 1000;
/** Answers under way get this long at the end. */
const PARTING_MS = 500;

/** Serves mappers on the socket, and makes it anew when it fails or is deleted. */
export class DmiServer {
  readonly #path: string;
  readonly #handlers: ManagerHandlers;
  readonly #log: Logger;

  constructor(deps: { readonly path: string; readonly handlers: ManagerHandlers; readonly log: Logger }) {
    this.#path = deps.path;
    this.#handlers = deps.handlers;
    this.#log = deps.log;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; ) {
      try {
        await this.#serve(signal, () => (attempt = 0));
      } catch (error) {
        if (isAbort(error)) return;
        const pause = backoffDelay(AGAIN, attempt, Math.random());
        if (attempt === 0) this.#log.error('mappers cannot be served; it is tried again until it works', { reason: errorText(error) });
        attempt += 1;
        await sleep(pause, signal).catch(() => undefined);
      }
    }
  }

  async #serve(signal: AbortSignal, listening: () => void): Promise<void> {
    const server = managerServer(this.#handlers);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const sockets = new Set<Socket>();
    try {
      await using socket = await listenAt(this.#path, (connection) => {
        sockets.add(connection);
        connection.once('close', () => sockets.delete(connection));
        injector.injectConnection(repairAuthority(connection));
      });
      listening();
      this.#log.info('mappers are served', { socket: this.#path });
      await Promise.race([socket.failed, this.#watch(socket.look, signal)]);
    } finally {
      await part(server, PARTING_MS);
      for (const socket of sockets) socket.destroy();
    }
  }

  /** Ends when the path leads nowhere any more. */
  async #watch(look: () => Promise<'here' | 'gone' | 'taken'>, signal: AbortSignal): Promise<void> {
    let told = false;
    for (;;) {
      await sleep(LOOK_MS, signal);
      const found = await look();
      if (found === 'gone') {
        this.#log.warn('the socket for mappers was deleted and is made anew', { socket: this.#path });
        return;
      }
      if (found === 'taken' && !told) {
        this.#log.error('another program has put its socket in the place of the one for mappers', { socket: this.#path });
        told = true;
      }
    }
  }
}

async function part(server: ReturnType<typeof managerServer>, milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  server.forceShutdown();
}
