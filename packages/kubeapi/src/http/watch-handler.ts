import type { Duplex } from 'node:stream';
import type { ApiBackend } from '../types/backend.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { WatchEvent } from '../types/object.js';
import type { WatchOptions } from '../types/requests.js';
import { negotiate, type AnswerForm } from './accept.js';
import type { EncodedObjects } from './encoded-objects.js';
import { EventEncoder, shapedEvent } from './event-encoder.js';
import type { Exchange } from './exchange.js';
import { watchOptions, whole } from './query.js';
import { includeObject } from './answers.js';
import type { IncludeObject } from './table.js';
import { responseChannel, type WatchChannel } from './watch-channel.js';
import { WatchSockets } from './watch-socket.js';
import { WatchStream } from './watch-stream.js';

/** A watch without time-out of its own lasts this long, and up to twice that, so that not all end together. */
const DEFAULT_TIMEOUT = 30 * 60_000;

interface Terms {
  form: AnswerForm;
  include: IncludeObject;
  options: WatchOptions;
  seconds: number;
}

/** What a client wants of a watch. @throws ApiError BadRequest, NotAcceptable */
function termsOf({ request, query }: Exchange): Terms {
  return { form: negotiate(request.headers.accept), include: includeObject(query), options: watchOptions(query), seconds: whole(query, 'timeoutSeconds') ?? 0 };
}

/** All watches of one server. */
export class WatchHandler {
  readonly #backend: ApiBackend;
  readonly #bufferBytes: number;
  readonly #streams = new Set<WatchStream>();
  readonly #encoder: EventEncoder;
  readonly #sockets = new WatchSockets();
  readonly #onInternalError: (error: unknown, exchange: Exchange) => void;
  readonly #bookmarks: NodeJS.Timeout;

  constructor(deps: { backend: ApiBackend; encoded: EncodedObjects; bufferBytes: number; bookmarkInterval: number; onInternalError: (error: unknown, exchange: Exchange) => void }) {
    this.#backend = deps.backend;
    this.#encoder = new EventEncoder({ encoded: deps.encoded });
    this.#bufferBytes = deps.bufferBytes;
    this.#onInternalError = deps.onInternalError;
    this.#bookmarks = setInterval(() => {
      for (const stream of this.#streams) stream.bookmark();
    }, deps.bookmarkInterval);
    this.#bookmarks.unref();
  }

  get count(): number {
    return this.#streams.size;
  }

  /** A watch as an answer that goes on. */
  async handle(exchange: Exchange, ref: ResourceRef, type: ResourceType): Promise<void> {
    const terms = termsOf(exchange);
    await this.#run(exchange, ref, type, terms, responseChannel(exchange.response));
  }

  /** A watch over WebSocket. What can be refused before the handshake throws. */
  upgrade(exchange: Exchange, ref: ResourceRef, type: ResourceType, { socket, head }: { socket: Duplex; head: Buffer }): void {
    const terms = termsOf(exchange);
    this.#sockets.accept(exchange.request, socket, head, (channel) => {
      this.#run(exchange, ref, type, terms, channel).catch((error: unknown) => {
        channel.destroy();
        this.#onInternalError(error, exchange);
      });
    });
  }

  async #run(exchange: Exchange, ref: ResourceRef, type: ResourceType, { form, include, options, seconds }: Terms, channel: WatchChannel): Promise<void> {
    const encode = form.as === undefined
      ? (event: WatchEvent): Buffer => this.#encoder.encode(event)
      : (event: WatchEvent): Buffer => shapedEvent(event, type, form, include);
    const stream = new WatchStream({
      channel, encode, bufferBytes: this.#bufferBytes, bookmarks: options.allowBookmarks === true,
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
