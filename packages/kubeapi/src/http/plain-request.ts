import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

const UPGRADES = ['websocket', 'spdy/3.1'];

/** Whether a request asks for a protocol that the API speaks. Others, such as h2c, are offers that a server may leave unanswered. */
export function isKnownUpgrade(request: IncomingMessage): boolean {
  return (request.headers.upgrade ?? '').split(',').some((name) => UPGRADES.includes(name.trim().toLowerCase()));
}

/** Gives a connection back to the server, to be read again as if the request had not offered to change the protocol. */
export function readAgain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(i, i + 2);
    if (!['upgrade', 'connection', 'http2-settings'].includes(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}
