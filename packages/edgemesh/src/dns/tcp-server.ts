import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { errorText } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { edgeMeshError, EdgeMeshErrors } from '../errors.js';
import { framed, Frames } from './frames.js';
import type { Resolver } from './resolver.js';

const MOST_CONNECTIONS = 256;
/** A connection that says nothing for so long is closed (RFC 7766 6.2.3). */
const IDLE_MS = 10_000;
/** Answers that one connection may wait for, and bytes that it may leave unread, before it is not read any more. */
const MOST_WAITING = 64;
const MOST_UNREAD = 262_144;

/** Names over TCP. */
export class TcpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #resolver: Resolver;
  readonly #signal: AbortSignal;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, resolver: Resolver, signal: AbortSignal) {
    this.#server = server;
    this.#resolver = resolver;
    this.#signal = signal;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** @throws EdgeError `edgemesh.listen-failed` */
  static async open(place: { address: string; port: number }, resolver: Resolver, signal: AbortSignal): Promise<TcpServer> {
    const server = createServer({ noDelay: true });
    server.maxConnections = MOST_CONNECTIONS;
    try {
      server.listen({ host: place.address, port: place.port });
      await once(server, 'listening');
    } catch (cause) {
      throw edgeMeshError(EdgeMeshErrors.listen, `names cannot be answered at ${hostPort(place.address, place.port)} over TCP: ${errorText(cause)}`, cause);
    }
    // Of a server that listens nothing else comes than failures to accept, and those pass.
    server.on('error', () => undefined);
    return new TcpServer(server, resolver, signal);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const frames = new Frames();
    let waiting = 0;
    const pace = (): void => {
      if (waiting >= MOST_WAITING || socket.writableLength > MOST_UNREAD) socket.pause();
      else if (socket.isPaused()) socket.resume();
    };
    const send = (answer: Buffer | undefined): void => {
      if (answer !== undefined && socket.writable) socket.write(framed(answer));
      pace();
    };
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('drain', pace);
    socket.on('data', (chunk) => {
      for (const message of frames.push(chunk)) {
        const answer = this.#resolver.answer(message, true, this.#signal);
        if (!(answer instanceof Promise)) {
          send(answer);
          continue;
        }
        waiting += 1;
        void answer.then((later) => {
          waiting -= 1;
          send(later);
        });
      }
      pace();
    });
  }
}
