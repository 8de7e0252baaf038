import type { ApiBackend } from '../types/backend.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { WatchEvent } from '../types/object.js';
import { negotiate } from './accept.js';
import type { EncodedObjects } from './encoded-objects.js';
import { EventEncoder, shapedEvent } from './event-encoder.js';
import type { Exchange } from './exchange.js';
import { watchOptions, whole } from './query.js';
import { includeObject } from './answers.js';
import { WatchStream } from './watch-stream.js';

/** A watch without time-out of its own lasts this long, and up to twice that, so that not all end together. */
const DEFAULT_TIMEOUT = 30 * 60_000;

/** All watches of one server. */
export class WatchHandler {
  readonly #backend: ApiBackend;
  readonly #bufferBytes: number;
  readonly #streams = new Set<WatchStream>();
  readonly #encoder: EventEncoder;
  readonly #bookmarks: NodeJS.Timeout;

  constructor(deps: { backend: ApiBackend; encoded: EncodedObjects; bufferBytes: number; bookmarkInterval: number }) {
    this.#backend = deps.backend;
    this.#encoder = new EventEncoder({ encoded: deps.encoded });
    this.#bufferBytes = deps.bufferBytes;
    this.#bookmarks = setInterval(() => {
      for (const stream of this.#streams) stream.bookmark();
    }, deps.bookmarkInterval);
    this.#bookmarks.unref();
  }

  get count(): number {
    return this.#streams.size;
  }

  async handle(exchange: Exchange, ref: ResourceRef, type: ResourceType): Promise<void> {
    const form = negotiate(exchange.request.headers.accept);
    const include = includeObject(exchange.query);
    const options = watchOptions(exchange.query);
    const seconds = whole(exchange.query, 'timeoutSeconds') ?? 0;
    const encode = form.as === undefined
      ? (event: WatchEvent): Buffer => this.#encoder.encode(event)
      : (event: WatchEvent): Buffer => shapedEvent(event, type, form, include);
    const stream = new WatchStream({
      response: exchange.response, encode, bufferBytes: this.#bufferBytes, bookmarks: options.allowBookmarks === true,
      timeout: seconds > 0 ? Math.min(seconds * 1000, 2 ** 31 - 1) : DEFAULT_TIMEOUT * (1 + Math.random()),
      onEnd: (ended) => this.#streams.delete(ended),
    });
    this.#streams.add(stream);
    try {
      stream.started(await this.#backend.watch(ref, options, stream.sink, exchange.context));
    } catch (error) {
      stream.fail(error);
    }
  }

  /** Ends all watches in good order. */
  close(): void {
    clearInterval(this.#bookmarks);
    for (const stream of [...this.#streams]) stream.end();
  }
}
