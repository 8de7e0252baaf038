import type { Duplex } from 'node:stream';
import type { Outlet } from './session.js';

/** Bytes that wait for a client that does not read, beyond what the operating system holds. */
const CONGESTED_BYTES = 2 * 1024 * 1024;
/** So long a client may go without reading. */
const STUCK_MS = 30_000;

/** The bytes of one connection: writes that never wait, reads that can be held back. */
export class Line implements Outlet {
  readonly #stream: Duplex;
  readonly #onEnd: (why: string) => void;
  readonly #onFlow: () => void;
  #stuck: NodeJS.Timeout | undefined;
  #written = 0;
  #corked = false;
  #held = false;
  #ended = false;

  /**
   * @param onData bytes of the client; what it throws ends the connection
   * @param onFlow the client reads again
   * @param onEnd called once, with the reason
   */
  constructor(stream: Duplex, handlers: { onData: (chunk: Buffer) => void; onFlow: () => void; onEnd: (why: string) => void }) {
    this.#stream = stream;
    this.#onEnd = handlers.onEnd;
    this.#onFlow = handlers.onFlow;
    stream.on('data', (chunk: Buffer) => {
      if (this.#ended) return;
      try {
        handlers.onData(chunk);
      } catch (error) {
        this.cut(error instanceof Error ? error.message : String(error));
      }
    });
    stream.on('drain', () => this.#drained());
    stream.on('error', (error: Error) => this.cut(error.message));
    stream.on('end', () => this.cut('closed by the client'));
    stream.on('close', () => this.cut('connection lost'));
  }

  get ended(): boolean {
    return this.#ended;
  }

  get congested(): boolean {
    return this.#stream.writableLength > CONGESTED_BYTES;
  }

  write(bytes: Buffer): void {
    if (this.#ended) return;
    if (!this.#corked) {
      // All packets of this turn go out in one write.
      this.#corked = true;
      this.#stream.cork();
      process.nextTick(() => {
        this.#corked = false;
        if (!this.#ended) this.#stream.uncork();
      });
    }
    this.#written += bytes.length;
    this.#stream.write(bytes);
    if (this.#stuck === undefined && this.congested) this.#watch();
  }

  /** Reads no more until `resume`; the client is slowed down by its own connection. */
  pause(): void {
    this.#held = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#held = false;
    if (!this.#ended) this.#stream.resume();
  }

  /** True between `pause` and `resume`: what the client says meanwhile is not heard. */
  get held(): boolean {
    return this.#held;
  }

  /** Ends it after what was written is out. */
  finish(why: string): void {
    if (this.#ended) return;
    this.#stream.end();
    this.cut(why, true);
  }

  cut(why: string, gently = false): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#stuck);
    if (gently) this.#stream.once('finish', () => this.#stream.destroy());
    else this.#stream.destroy();
    this.#onEnd(why);
  }

  /** Ends it when nothing at all has gone out by then; a slow client is a client. */
  #watch(): void {
    const gone = this.#gone;
    this.#stuck = setTimeout(() => (this.#gone > gone ? this.#watch() : this.cut(`it has not read for ${STUCK_MS / 1000} s`)), STUCK_MS);
  }

  /** Bytes that the operating system has taken. */
  get #gone(): number {
    return this.#written - this.#stream.writableLength;
  }

  #drained(): void {
    clearTimeout(this.#stuck);
    this.#stuck = undefined;
    if (!this.#ended) this.#onFlow();
  }
}
