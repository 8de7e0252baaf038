import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
import { errorText } from '@edge/core';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { EmbeddedConfig } from '../config.js';
import { eventBusError } from '../errors.js';
import { shownUrl } from '../shown-url.js';
import type { Peer } from './connection.js';

/** A place where clients come in. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
}

const PORTS: Readonly<Record<string, number>> = { tcp: 1883, mqtt: 1883, ssl: 8883, tls: 8883, mqtts: 8883, ws: 80, wss: 443 };
const SECURE = new Set(['ssl', 'tls', 'mqtts', 'wss']);
const HANDSHAKE_MS = 10_000;

/**
 * Listens where the address says and hands over each connection.
 * @throws EdgeError `eventbus.listen` naming address and cause, `eventbus.bad-file` for certificates
 */
export async function listen(config: EmbeddedConfig, onClient: (stream: Duplex, peer: Peer) => void): Promise<Listener> {
  const [, scheme = '', host = '', digits = ''] = /^(\w+):\/\/\[?([^\]/]*?)\]?(?::(\d+))?(?:\/.*)?$/.exec(config.url) ?? [];
  const tls = SECURE.has(scheme) ? await tlsOptions(config) : undefined;
  const sockets = new Set<Socket>();
  const server = scheme.startsWith('ws') ? webServer(tls, config.maxPacketBytes, onClient) : plainServer(tls, onClient);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = digits === '' ? (PORTS[scheme] as number) : Number(digits);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(eventBusError('eventbus.listen', `the MQTT broker cannot listen on ${shownUrl(config.url)}: ${errorText(cause)}`, cause)));
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve);
  });
  server.on('error', () => undefined);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function plainServer(tls: TlsOptions | undefined, onClient: (stream: Duplex, peer: Peer) => void): Server {
  if (tls === undefined) return createTcpServer((socket) => onClient(socket, peerOf(socket)));
  const server = createTlsServer(tls, (socket) => onClient(socket, peerOf(socket)));
  // A client without the right certificate is its own trouble.
  server.on('tlsClientError', () => undefined);
  return server;
}

function webServer(tls: TlsOptions | undefined, maxPacketBytes: number, onClient: (stream: Duplex, peer: Peer) => void): Server {
  const server = tls === undefined ? createHttpServer(refuse) : createHttpsServer(tls, refuse);
  server.on('tlsClientError', () => undefined);
  const sockets = new WebSocketServer({
    server,
    maxPayload: maxPacketBytes + 1024,
    handleProtocols: (offered) => ['mqtt', 'mqttv3.1'].find((name) => offered.has(name)) ?? false,
  });
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket, request: IncomingMessage) => onClient(createWebSocketStream(socket), peerOf(request.socket)));
  return server;
}

/** Whoever asks for a page gets none. */
function refuse(_request: IncomingMessage, response: { writeHead(status: number): { end(text: string): void } }): void {
  response.writeHead(426).end('MQTT over WebSocket only\n');
}

function peerOf(socket: Socket): Peer {
  const address = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return { address };
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? { address, certificateName: name } : { address };
}

async function tlsOptions({ tls, requireClientCertificate }: EmbeddedConfig): Promise<TlsOptions> {
  const [cert, key] = await Promise.all([read(tls.certFile), read(tls.keyFile)]);
  // Without the demand a certificate is still looked at: it may stand for a login.
  const ca = requireClientCertificate ? await read(tls.caFile) : await read(tls.caFile).catch(() => undefined);
  return { cert, key, ...(ca === undefined ? {} : { ca, requestCert: true }), rejectUnauthorized: requireClientCertificate, handshakeTimeout: HANDSHAKE_MS };
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw eventBusError('eventbus.bad-file', `${file} cannot be read: ${errorText(cause)}`, cause);
  }
}
