import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { hostPort } from '@edge/protocol';
import type { Endpoint } from '../data/service-table.js';
import type { Backend } from './backends.js';
import type { ProxyLimits } from './limits.js';

/** Bytes that wait in one socket; a datagram above is dropped, as everywhere on its way. */
const QUEUE_BYTES = 1_048_576;
/** Datagrams that wait for a session to begin. */
const FIRST_DATAGRAMS = 16;

interface Session {
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  readonly closed: () => void;
  readonly waiting: Buffer[];
  isOpen: boolean;
  lastMs: number;
}

export interface UdpPortDeps {
  readonly limits: ProxyLimits;
  readonly backend: () => Backend | undefined;
  readonly now: () => number;
}

/** A UDP port of a service: each client has its endpoint until it is silent for a while. [edgemesh-44] */
export class UdpPort implements AsyncDisposable {
  readonly #deps: UdpPortDeps;
  readonly #sessions = new Map<string, Session>();
  readonly #socket: Socket;
  #sweep: NodeJS.Timeout | undefined;

  private constructor(deps: UdpPortDeps, socket: Socket) {
    this.#deps = deps;
    this.#socket = socket;
    socket.on('message', (data, from) => this.#take(data, from));
    socket.on('error', () => undefined);
  }

  /** Rejects with the system's error when the place cannot be had. */
  static async open(deps: UdpPortDeps, address: string, port: number): Promise<UdpPort> {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ...(isIPv6(address) ? { ipv6Only: true } : {}) });
    try {
      socket.bind(port, address);
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new UdpPort(deps, socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweep);
    for (const key of [...this.#sessions.keys()]) this.#end(key);
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  #take(data: Buffer, from: RemoteInfo): void {
    const key = hostPort(from.address, from.port);
    const session = this.#sessions.get(key) ?? this.#begin(key, from);
    if (session === undefined) return;
    session.lastMs = this.#deps.now();
    // The one that was silent longest stays in front.
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (!session.isOpen) {
      if (session.waiting.length < FIRST_DATAGRAMS) session.waiting.push(data);
    } else if (session.socket.getSendQueueSize() < QUEUE_BYTES) session.socket.send(data);
  }

  #begin(key: string, from: RemoteInfo): Session | undefined {
    const backend = this.#deps.backend();
    const endpoint = backend?.choose(from.address, new Set());
    if (backend === undefined || endpoint === undefined) return undefined;
    if (this.#sessions.size >= this.#deps.limits.udpSessions) this.#end(this.#sessions.keys().next().value as string);
    const socket = createSocket(isIPv6(endpoint.address) ? 'udp6' : 'udp4');
    const session: Session = { socket, endpoint, closed: backend.opened(endpoint), waiting: [], isOpen: false, lastMs: this.#deps.now() };
    this.#sessions.set(key, session);
    socket.on('message', (answer) => {
      session.lastMs = this.#deps.now();
      backend.succeeded(endpoint);
      if (this.#socket.getSendQueueSize() < QUEUE_BYTES) this.#socket.send(answer, from.port, from.address);
    });
    // Nobody listens there: the next datagram goes elsewhere.
    const failed = (): void => {
      backend.failed(endpoint);
      if (this.#sessions.get(key) === session) this.#end(key);
    };
    socket.on('error', failed);
    // Connected: only this endpoint is heard, and its refusal is told. Without a way there the callback is told, and no event comes.
    socket.connect(endpoint.port, endpoint.address, (refused?: Error) => {
      if (refused) return failed();
      if (this.#sessions.get(key) !== session) return;
      session.isOpen = true;
      for (const data of session.waiting.splice(0)) socket.send(data);
    });
    this.#sweep ??= setInterval(() => this.#endSilent(), Math.max(1_000, this.#deps.limits.udpIdleMs / 4)).unref();
    return session;
  }

  #endSilent(): void {
    const before = this.#deps.now() - this.#deps.limits.udpIdleMs;
    for (const [key, { lastMs }] of this.#sessions) if (lastMs < before) this.#end(key);
    if (this.#sessions.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    session.closed();
    session.socket.removeAllListeners('message');
    session.socket.close();
  }
}
