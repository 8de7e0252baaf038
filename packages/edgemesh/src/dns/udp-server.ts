import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { errorText } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { edgeMeshError, EdgeMeshErrors } from '../errors.js';
import type { Resolver } from './resolver.js';

/** Answers that wait for others at the same time; who comes then asks again. */
const MOST_WAITING = 4096;

/** Names over UDP. */
export class UdpServer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #resolver: Resolver;
  readonly #signal: AbortSignal;
  #waiting = 0;

  private constructor(socket: Socket, resolver: Resolver, signal: AbortSignal) {
    this.#socket = socket;
    this.#resolver = resolver;
    this.#signal = signal;
    socket.on('message', (bytes, from) => this.#take(bytes, from.port, from.address));
  }

  /** @throws EdgeError `edgemesh.listen-failed` */
  static async open(place: { address: string; port: number }, resolver: Resolver, signal: AbortSignal): Promise<UdpServer> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    try {
      socket.bind(place.port, place.address);
      await once(socket, 'listening');
    } catch (cause) {
      socket.close();
      throw edgeMeshError(EdgeMeshErrors.listen, `names cannot be answered at ${hostPort(place.address, place.port)} over UDP: ${errorText(cause)}`, cause);
    }
    // An answer that cannot be sent is one lost datagram.
    socket.on('error', () => undefined);
    return new UdpServer(socket, resolver, signal);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #take(bytes: Buffer, port: number, address: string): void {
    const answer = this.#waiting >= MOST_WAITING ? undefined : this.#resolver.answer(bytes, false, this.#signal);
    if (answer === undefined) return;
    if (!(answer instanceof Promise)) return this.#send(answer, port, address);
    this.#waiting += 1;
    void answer.then((later) => {
      this.#waiting -= 1;
      if (later !== undefined && !this.#signal.aborted) this.#send(later, port, address);
    });
  }

  #send(bytes: Buffer, port: number, address: string): void {
    this.#socket.send(bytes, port, address, () => undefined);
  }
}
