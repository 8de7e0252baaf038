import { connect, type Socket } from 'node:net';
import { errorText } from '@edge/core';
import type { ConnectRequest } from '@edge/protocol';
import type { TunnelSession } from '@edge/tunnel';
import type { KubeletEndpoint } from './kubelet-endpoint.js';
import { requestHead } from './request-head.js';

/** How long bytes that came before the end of a session may take to be handed over, milliseconds. */
const FLUSH_MS = 5000;

/**
 * A session that passes bytes both ways whatever they mean: the request is written, and everything behind it, the answer's
 * head included, is the business of the two ends. Resolves when the session is over; never rejects.
 */
export async function relayBytes(session: TunnelSession, request: ConnectRequest, kubelet: KubeletEndpoint): Promise<void> {
  const socket = connect({ host: kubelet.host, port: kubelet.port, noDelay: true });
  let answered = false;
  socket.on('error', (error) => {
    if (!answered) session.write(badGateway(`the node's kubelet API does not answer: ${errorText(error)}`));
  });
  socket.once('data', () => (answered = true));
  socket.write(requestHead(request, kubelet), 'latin1');
  socket.pipe(session);
  session.pipe(socket);
  session.once('over', () => endSoon(socket));
  await new Promise<void>((resolve) => {
    socket.once('close', () => session.end());
    session.once('close', () => {
      socket.destroySoon();
      endSoon(socket);
      resolve();
    });
  });
}

/** The other side has gone: what it sent is handed over if that is possible at all. */
function endSoon(socket: Socket): void {
  if (socket.closed) return;
  const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** What an HTTP client on the other side understands. */
export function badGateway(text: string): string {
  const body = `${text}\n`;
  return `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
