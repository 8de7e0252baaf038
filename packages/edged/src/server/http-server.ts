import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { untilAborted } from '@edge/core';
import { ApiFault, type ContentAnswer } from './answer.js';
import { faultAnswer, responseOn, send } from './exchange.js';
import { relayUpgrade } from './relay.js';
import { findRoute, splitTarget, type ApiRoute } from './router.js';

/** Streams into containers at the same time; each costs two sockets here and a process in the runtime. */
const MAX_STREAMS = 256;
const MAX_CONNECTIONS = 1024;
const MAX_HEADER_BYTES = 1024 * 1024;
const KEEP_ALIVE_MS = 90_000;

export interface HttpServerDeps {
  readonly routes: readonly ApiRoute[];
  /** Refuses a request by throwing. */
  readonly admit: (request: IncomingMessage, pathname: string) => void;
  /** Told of each request when it was answered; 101 for one that became a stream. */
  readonly count: (method: string, pathname: string, status: number) => void;
  /** A stream without a byte either way ends after this. */
  readonly streamIdleMs: number;
}

/** A connection that the client wants to use for another protocol. */
interface Takeover {
  readonly socket: Socket;
  readonly head: Buffer;
}

/** Serves routes over HTTP. No failure of a request gets further than its own connection. */
export class HttpServer {
  readonly #deps: HttpServerDeps;
  #streams = 0;

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
  }

  /**
   * Listens until the signal aborts; then every connection is closed.
   * @param onListening called once, with the port
   * @throws what listening fails with: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`
   */
  async run(address: string, port: number, signal: AbortSignal, onListening: (port: number) => void): Promise<void> {
    const ended = new AbortController();
    const takeovers = new Set<Socket>();
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      void this.#serve(request, request.socket, () => response, ended.signal);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('upgrade', (request: IncomingMessage, stream, head: Buffer) => {
      const socket = stream as Socket;
      // The server no longer closes it with the others.
      takeovers.add(socket);
      socket.once('close', () => takeovers.delete(socket));
      socket.on('error', () => socket.destroy());
      void this.#serve(request, socket, () => responseOn(socket, request), ended.signal, { socket, head });
    });
    try {
      onListening(await listen(server, address, port));
      await untilAborted(signal);
    } finally {
      ended.abort();
      for (const socket of takeovers) socket.destroy();
      if (server.listening) {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        await closed;
      }
    }
  }

  async #serve(request: IncomingMessage, socket: Socket, response: () => ServerResponse, ended: AbortSignal, takeover?: Takeover): Promise<void> {
    const { method = 'GET' } = request;
    const { pathname, query } = splitTarget(request.url ?? '/');
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    socket.once('close', leave);
    const signal = AbortSignal.any([ended, gone.signal]);
    let answer: ContentAnswer | undefined;
    try {
      this.#deps.admit(request, pathname);
      const { route, params } = findRoute(this.#deps.routes, method, pathname);
      const wanted = await route.handle({ method, params, query, wantsUpgrade: takeover !== undefined, raw: request, signal });
      answer = 'relayTo' in wanted ? await this.#relay(request, takeover, wanted.relayTo, signal) : wanted;
    } catch (error) {
      answer = faultAnswer(error, takeover !== undefined);
    }
    this.#deps.count(method, pathname, answer === undefined ? 101 : (answer.status ?? 200));
    if (answer && !socket.destroyed) await send(response(), answer, signal);
    socket.off('close', leave);
  }

  async #relay(request: IncomingMessage, takeover: Takeover | undefined, url: string, signal: AbortSignal): Promise<ContentAnswer | undefined> {
    if (!takeover) throw new ApiFault(400, 'this path needs an upgrade request, SPDY/3.1 or WebSocket');
    if (this.#streams >= MAX_STREAMS) throw new ApiFault(429, `there are ${MAX_STREAMS} streams into containers already`);
    this.#streams += 1;
    try {
      return await relayUpgrade({ request, ...takeover, url, idleMs: this.#deps.streamIdleMs, signal });
    } finally {
      this.#streams -= 1;
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // Of a server that listens nothing else comes than failures to accept, and those pass.
      server.on('error', () => undefined);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
