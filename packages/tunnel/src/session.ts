import { Duplex } from 'node:stream';
import type { Waiting } from './congestion.js';

/** What a session needs of its tunnel. */
export interface SessionWire {
  /** Sends bytes; `done` when they have left. */
  data(id: number, bytes: Uint8Array, done: (error?: Error) => void): void;
  /** Tells the other side that the session is over. */
  remove(id: number): void;
  /** Somebody took bytes out. */
  taken(session: TunnelSession): void;
  /** The session is over on this side. */
  gone(session: TunnelSession): void;
}

/** Bytes in one frame. Upstream's readers take a MiB; smaller ones let short sessions in between. */
const CHUNK = 64 * 1024;

/**
 * One session as a stream of bytes. Either side may end it, for both directions: the protocol has no half-closed sessions.
 * What the other side sent before its end can still be read.
 */
export class TunnelSession extends Duplex implements Waiting {
  readonly id: number;
  readonly #wire: SessionWire;
  #removed = false;
  #over = false;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(deps: { id: number; wire: SessionWire }) {
    super({ allowHalfOpen: false, readableHighWaterMark: CHUNK, writableHighWaterMark: CHUNK });
    this.id = deps.id;
    this.#wire = deps.wire;
    // Who has said its last word here hears nothing more, and upstream's cloud does not even answer.
    this.once('finish', () => this.destroy());
  }

  get waiting(): number {
    return this.readableLength;
  }

  /** True when the other side has ended the session. */
  get over(): boolean {
    return this.#over;
  }

  /** Bytes that the other side has sent. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Bytes that were sent to it. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** Bytes of the other side. */
  receive(bytes: Uint8Array): void {
    if (this.#over || this.destroyed) return;
    this.#bytesIn += bytes.length;
    this.push(bytes);
  }

  /** The other side has given its number to another session: this one ends without a word. */
  abandon(): void {
    this.#removed = true;
    this.destroy();
  }

  /** The other side has ended the session: what came can be read, nothing can be sent. Emits `over`. */
  endedThere(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sayGoodbye();
    this.emit('over');
    this.push(null);
  }

  override _read(): void {
    // Bytes come when they come.
  }

  override read(size?: number): unknown {
    // Not in `_read`, which is not called before nearly everything has been taken.
    const taken: unknown = super.read(size);
    if (taken !== null) this.#wire.taken(this);
    return taken;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, 0, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(chunks.length === 1 ? (chunks[0]?.chunk as Buffer) : Buffer.concat(chunks.map(({ chunk }) => chunk)), 0, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sayGoodbye();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#sayGoodbye();
    this.#wire.gone(this);
    done(error);
  }

  #send(bytes: Buffer, from: number, done: (error?: Error | null) => void): void {
    // After the end there is nobody to write to, and whoever still writes is told so by the end.
    if (this.#over || from >= bytes.length) return done();
    this.#bytesOut += Math.min(CHUNK, bytes.length - from);
    this.#wire.data(this.id, bytes.subarray(from, from + CHUNK), (error) => (error ? done(error) : this.#send(bytes, from + CHUNK, done)));
  }

  #sayGoodbye(): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#wire.remove(this.id);
  }
}
