import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { MAX_MESSAGE, TUNNEL_PATH } from './dial.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { WebSocketWire } from './web-socket-wire.js';

/** A node that asks for a tunnel. */
export interface TunnelCaller {
  readonly nodeName: string;
  /** As the node says; the address of the connection when it says nothing. */
  readonly internalIp: string;
  /** Common name of its certificate, which the authority has signed. */
  readonly commonName: string;
}

export interface TunnelListenerDeps {
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
  /** Words why a node is refused; undefined: it is welcome. */
  readonly refuse: (caller: TunnelCaller) => string | undefined;
  readonly onWire: (caller: TunnelCaller, wire: WebSocketWire) => void;
  /** Somebody was refused or failed, for a log. */
  readonly onRefused: (why: string) => void;
}

/** The cloud's end: takes tunnels of nodes that show a certificate of the authority. */
export class TunnelListener {
  readonly #deps: TunnelListenerDeps;
  readonly #connections = new Set<Socket>();
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE, skipUTF8Validation: true });
  /** To be opened by whoever owns the listener. */
  readonly server: Server;

  constructor(deps: TunnelListenerDeps) {
    this.#deps = deps;
    this.server = createServer({ ...deps.tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2', headersTimeout: 30_000 }, (_request, response) =>
      response.writeHead(426).end('this port speaks WebSocket'),
    );
    this.server.on('tlsClientError', (error) => deps.onRefused(`a TLS handshake failed: ${error.message}`));
    this.server.on('clientError', (_error, socket) => socket.destroy());
    // Below TLS, where the counters are right and closing is certain.
    this.server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
  }

  /** Closes the port and every connection. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').replace(/\?.*$/, '').replace(/\/$/, '');
    if (path !== TUNNEL_PATH) return this.#refuse(socket, 404, `tunnels are at ${TUNNEL_PATH}`);
    const caller: TunnelCaller = {
      nodeName: header(request, 'sessionhostnameoverride'),
      internalIp: header(request, 'sessioninternalip') || (request.socket.remoteAddress ?? ''),
      commonName: [(request.socket as TLSSocket).getPeerCertificate()?.subject?.CN ?? ''].flat()[0] ?? '',
    };
    if (caller.nodeName === '') return this.#refuse(socket, 400, 'the header SessionHostNameOverride is missing');
    const why = this.#deps.refuse(caller);
    if (why !== undefined) return this.#refuse(socket, 403, why);
    this.#sockets.handleUpgrade(request, socket, head, (web) => this.#deps.onWire(caller, new WebSocketWire(web, request.socket)));
  }

  #refuse(socket: Duplex, status: number, why: string): void {
    this.#deps.onRefused(why);
    refuseUpgrade(socket, status, why);
  }
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim() ?? '';
}
