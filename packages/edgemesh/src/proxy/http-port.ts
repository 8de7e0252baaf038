import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { routeOf, type HttpRoute } from '../balance/settings.js';
import type { Backend } from './backends.js';
import { dial } from './dial.js';
import { HttpForward } from './http-forward.js';
import { passedOn, valuesOf } from './http-heads.js';
import type { ProxyLimits } from './limits.js';
import { relay } from './relay.js';
import { carryTcp } from './tcp-port.js';

/** How a client of HTTP/2 begins when it knows that the service speaks it (RFC 9113, 3.4). */
const HTTP2 = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface HttpPortDeps {
  readonly limits: ProxyLimits;
  /** As they are now. */
  readonly routes: () => readonly HttpRoute[];
  /** Where the requests of a route go; undefined: to the service itself. */
  readonly backend: (route: HttpRoute | undefined) => Backend | undefined;
}

/** A port of a service whose requests go where host and path say. HTTP/2 passes as it is, to the service itself. [edgemesh-45] */
export class HttpPort implements Disposable {
  readonly #deps: HttpPortDeps;
  readonly #server: Server;
  readonly #forward: HttpForward;
  #carried = 0;

  constructor(deps: HttpPortDeps) {
    this.#deps = deps;
    this.#forward = new HttpForward(deps);
    const { headMs, idleMs } = deps.limits;
    this.#server = createServer({ headersTimeout: headMs, requestTimeout: 0, connectionsCheckingInterval: Math.ceil(headMs / 2), keepAliveTimeout: 60_000, noDelay: true });
    this.#server.timeout = idleMs;
    const forward = (incoming: IncomingMessage, outgoing: Parameters<HttpForward['forward']>[1]): void => void this.#forward.forward(incoming, outgoing, this.#backendFor(incoming));
    this.#server.on('request', forward);
    // The endpoint says whether it wants the body.
    this.#server.on('checkContinue', forward);
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Socket, first: Buffer) => void this.#upgrade(incoming, socket, first));
    this.#server.on('clientError', (_error, socket) => void (socket.writable ? socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n') : socket.destroy()));
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#forward[Symbol.dispose]();
  }

  /** Takes over a connection of which nothing was read. */
  async carry(client: Socket): Promise<void> {
    const closed = new Promise<void>((resolve) => void client.once('close', () => resolve()));
    client.on('error', () => undefined);
    const first = await firstBytes(client, this.#deps.limits.headMs);
    if (first === undefined) {
      client.destroy();
      return;
    }
    client.unshift(first);
    if (first.subarray(0, HTTP2.length).equals(HTTP2.subarray(0, first.length)) && first.length >= 3) {
      await carryTcp(client, this.#deps.backend(undefined), this.#deps.limits);
      return;
    }
    this.#watchHeads();
    this.#server.emit('connection', client);
    await closed;
    this.#carried -= 1;
    if (this.#carried === 0) this.#server.close();
  }

  /** Node.js looks for heads that come too slowly from the moment a server listens until it is closed; this one never listens by itself. */
  #watchHeads(): void {
    this.#carried += 1;
    if (this.#carried === 1) this.#server.emit('listening');
  }

  #backendFor({ headers, url }: IncomingMessage): Backend | undefined {
    return this.#deps.backend(routeOf(this.#deps.routes(), headers.host, url ?? '/'));
  }

  /**
   * Some clients offer HTTP/2 with their first request and go on with HTTP/1.1 when nobody takes it up (RFC 9113, 3.1, drops it).
   * Nobody does: what follows on the connection has routes of its own.
   */
  #stay(incoming: IncomingMessage, client: Socket, first: Buffer): void {
    const codings = valuesOf(incoming.rawHeaders, 'transfer-encoding').flatMap((value) => ['Transfer-Encoding', value]);
    client.unshift(Buffer.concat([headOf(incoming, [...passedOn(incoming.rawHeaders), ...codings]), first]));
    this.#server.emit('connection', client);
  }

  /** WebSocket and the like: the request as it came, and from there on bytes. */
  async #upgrade(incoming: IncomingMessage, client: Socket, first: Buffer): Promise<void> {
    client.on('error', () => undefined);
    if (incoming.headers.upgrade?.toLowerCase() === 'h2c') return this.#stay(incoming, client, first);
    const backend = this.#backendFor(incoming);
    const dialed = backend && (await dial(backend, client.remoteAddress ?? '', this.#deps.limits, () => !client.destroyed));
    if (dialed === undefined) {
      if (client.writable) client.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    try {
      dialed.socket.write(Buffer.concat([headOf(incoming, incoming.rawHeaders), first]));
      await relay(client, dialed.socket, this.#deps.limits);
    } finally {
      dialed.closed();
    }
  }
}

function headOf({ method, url, httpVersion }: IncomingMessage, rawHeaders: readonly string[]): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** What came first, as much as tells HTTP/2 from all else; undefined when nothing came in time. */
function firstBytes(client: Socket, timeoutMs: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let read: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => settle(undefined), timeoutMs);
    const settle = (result: Buffer | undefined): void => {
      clearTimeout(timer);
      client.off('readable', onReadable);
      client.off('close', onEnd);
      client.off('end', onEnd);
      resolve(result);
    };
    const onEnd = (): void => settle(undefined);
    const onReadable = (): void => {
      const chunk = client.read() as Buffer | null;
      if (chunk === null) return;
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
      // "P" and "PR" may still become POST, PUT or the beginning of HTTP/2.
      if (read.length >= 3 || !HTTP2.subarray(0, read.length).equals(read)) settle(read);
    };
    client.on('readable', onReadable);
    client.on('close', onEnd);
    client.on('end', onEnd);
  });
}
