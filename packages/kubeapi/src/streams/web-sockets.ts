import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';

/** Clients send a few dozen KiB at a time. */
const LONGEST_MESSAGE = 4 * 1024 * 1024;

/** Protocols that a client offers, in its order. */
export function offeredProtocols(request: IncomingMessage): string[] {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return [];
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
}

/** Completes the handshake with the protocol; one that is none is refused with an HTTP answer, and the socket closes. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string, onOpen: (webSocket: WebSocket) => void): void {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: LONGEST_MESSAGE });
  // The choice has been made; the slash in the name of SPDY's would make the handshake an invalid one.
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  server.handleUpgrade(request, socket, head, onOpen);
}

/** A WebSocket as a stream of bytes, whatever messages they come in. */
export function asStream(webSocket: WebSocket): Duplex {
  return createWebSocketStream(webSocket, { allowHalfOpen: false });
}
