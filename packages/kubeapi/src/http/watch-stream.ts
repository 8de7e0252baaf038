import { isApiError } from '../errors.js';
import type { WatchHandle } from '../types/backend.js';
import type { KubeObject, WatchEvent } from '../types/object.js';
import type { WatchChannel } from './watch-channel.js';

export interface WatchStreamDeps {
  channel: WatchChannel;
  /** Line of an event; given by the server, so that many watchers of one event share the work. */
  encode: (event: WatchEvent) => Buffer;
  bufferBytes: number;
  bookmarks: boolean;
  /** After this many milliseconds the watch ends as if nothing more happened. */
  timeout: number;
  onEnd: (stream: WatchStream) => void;
}

/** One watch that is open. A client that does not read is cut off, nobody waits for it. */
export class WatchStream {
  readonly #deps: WatchStreamDeps;
  readonly #timer: NodeJS.Timeout;
  #handle: WatchHandle | undefined;
  #limit = Number.POSITIVE_INFINITY;
  #ended = false;

  constructor(deps: WatchStreamDeps) {
    this.#deps = deps;
    this.#timer = setTimeout(() => this.end(), deps.timeout);
    deps.channel.onClose(() => this.#release());
    deps.channel.onDrain(() => {
      if (this.#handle !== undefined) this.#limit = deps.bufferBytes;
    });
  }

  readonly sink = (event: WatchEvent): void => {
    const { channel, encode } = this.#deps;
    if (this.#ended) return;
    // Measured before the event, so that one large event alone cuts nobody off.
    if (channel.waiting > this.#limit) channel.destroy();
    else channel.send(encode(event));
  };

  /** Call when the initial events are through: from here on what waits is limited. */
  started(handle: WatchHandle): void {
    this.#handle = handle;
    // What is there at the start may be more than the limit; it counts as granted until it has drained.
    this.#limit = this.#deps.bufferBytes + this.#deps.channel.waiting;
    if (this.#ended) handle.close();
  }

  /** A refusal after the headers: one ERROR event, then the end. */
  fail(error: unknown): void {
    if (!isApiError(error)) throw error;
    this.sink({ type: 'ERROR', object: error.toStatus() as unknown as KubeObject });
    this.end();
  }

  bookmark(): void {
    const event = this.#deps.bookmarks ? this.#handle?.bookmark() : undefined;
    if (event !== undefined) this.sink(event);
  }

  /** Ends in good order: a last bookmark saves the client from listing again. */
  end(): void {
    if (this.#ended) return;
    this.bookmark();
    this.#release();
    this.#deps.channel.end();
  }

  #release(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#handle?.close();
    this.#deps.onEnd(this);
  }
}
