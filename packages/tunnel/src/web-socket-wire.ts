import type { Socket } from 'node:net';
import { errorText } from '@edge/core';
import type { WebSocket } from 'ws';
import { tunnelError, TunnelErrors } from './errors.js';
import type { Wire, WireEvents } from './wire.js';

/** Upstream's words in a ping. */
const PING = Buffer.from('ping you', 'latin1');
/** How long the other side may take to confirm a close. */
const CLOSE_MS = 300;
/** Text although it need not be UTF-8: CloudCore ends the tunnel at a binary message. */
const TEXT = { binary: false, compress: false } as const;

/** A wire over an open WebSocket that does not look whether text is UTF-8. */
export class WebSocketWire implements Wire {
  readonly #socket: WebSocket;
  readonly #tcp: Socket;
  #events: WireEvents | undefined;
  #early: ((events: WireEvents) => void)[] = [];
  #trouble: Error | undefined;

  /** @param tcp the socket below TLS, whose counter shows life */
  constructor(socket: WebSocket, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    socket.on('message', (data: Buffer) => this.#tell((events) => events.frame(data)));
    socket.on('error', (error) => (this.#trouble = error));
    socket.on('close', (code, reason) => this.#tell((events) => events.closed(this.#wordsFor(code, reason))));
  }

  get bytesReceived(): number {
    return this.#tcp.bytesRead;
  }

  listen(events: WireEvents): void {
    this.#events = events;
    for (const event of this.#early.splice(0)) event(events);
  }

  send(bytes: Uint8Array, done: (error?: Error) => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      done(tunnelError(TunnelErrors.ended, 'the tunnel has ended'));
      return;
    }
    this.#socket.send(bytes, TEXT, (error) => done(error ?? undefined));
  }

  ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(PING, undefined, ignore);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    // One that is paused would not hear the other side confirm.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.close(1000);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #wordsFor(code: number, reason: Buffer): string {
    if (this.#trouble) return errorText(this.#trouble);
    const words = reason.toString('utf8').slice(0, 120);
    return words === '' ? `closed with code ${code}` : words;
  }

  #tell(event: (events: WireEvents) => void): void {
    if (this.#events) event(this.#events);
    else this.#early.push(event);
  }
}

function ignore(): void {
  // A failed write ends the connection, and the end is told by 'close'.
}
