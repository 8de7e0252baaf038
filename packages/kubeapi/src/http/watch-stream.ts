import type { ServerResponse } from 'node:http';
import { isApiError } from '../errors.js';
import type { WatchHandle } from '../types/backend.js';
import type { KubeObject, WatchEvent } from '../types/object.js';

/** Turns an object into the form a watcher asked for. */
export type Shape = (object: KubeObject) => unknown;

export interface WatchStreamDeps {
  response: ServerResponse;
  /** Line of an event; given by the server, so that many watchers of one event share the work. */
  encode: (event: WatchEvent) => Buffer;
  bufferBytes: number;
  bookmarks: boolean;
  /** After this many milliseconds the watch ends as if nothing more happened. */
  timeout: number;
  onEnd: (stream: WatchStream) => void;
}

/** One watch over HTTP: a line of JSON per event. A client that does not read is cut off, nobody waits for it. */
export class WatchStream {
  readonly #deps: WatchStreamDeps;
  readonly #timer: NodeJS.Timeout;
  #handle: WatchHandle | undefined;
  #limit = Number.POSITIVE_INFINITY;
  #ended = false;

  constructor(deps: WatchStreamDeps) {
    this.#deps = deps;
    this.#timer = setTimeout(() => this.end(), deps.timeout);
    deps.response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff' });
    deps.response.flushHeaders();
    deps.response.on('close', () => this.#release());
    deps.response.on('drain', () => { this.#limit = deps.bufferBytes; });
  }

  readonly sink = (event: WatchEvent): void => {
    const { response } = this.#deps;
    if (this.#ended) return;
    // Measured before the event, so that one large event alone cuts nobody off.
    if (response.writableLength > this.#limit) response.destroy();
    else response.write(this.#deps.encode(event));
  };

  /** Call when the initial events are through: from here on what waits is limited. */
  started(handle: WatchHandle): void {
    this.#handle = handle;
    // What is there at the start may be more than the limit; it counts as granted until it has drained.
    this.#limit = this.#deps.bufferBytes + this.#deps.response.writableLength;
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
    this.#deps.response.end();
  }

  #release(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#handle?.close();
    this.#deps.onEnd(this);
  }
}
