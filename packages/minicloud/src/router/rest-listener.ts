import { createServer, validateHeaderName, validateHeaderValue, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { errorText, isAbort, type Logger } from '@edge/core';
import { listen, type ListenAddress } from '../net.js';
import { words, type RestAnswer, type RestRequest } from './calls.js';

export interface RestListenerDeps {
  /** Rejects with `core.aborted` when the signal aborts. */
  readonly serve: (request: RestRequest, signal: AbortSignal) => Promise<RestAnswer>;
  readonly log: Logger;
}

/** Bytes of a request's body, as CloudCore. */
export const MAX_BODY_BYTES = 12 * 1024 * 1024;
/** Requests at a time. */
const MAX_REQUESTS = 512;
/** Bytes of bodies of requests that are under way. */
const MAX_BYTES = 128 * 1024 * 1024;
/** A client that sends or reads so slowly is let go. */
const SLOW_MS = 60_000;

/** Those about one connection. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length']);

/** The port on which clients reach rules: plain HTTP without a password, as CloudCore's 9443. */
export class RestListener {
  readonly #deps: RestListenerDeps;
  readonly #server;
  #requests = 0;
  #bytes = 0;

  constructor(deps: RestListenerDeps) {
    this.#deps = deps;
    this.#server = createServer({ requestTimeout: SLOW_MS, headersTimeout: 20_000 }, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_REQUESTS * 2;
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Opens the port; resolves with it. @throws EdgeError `minicloud.listen-failed` */
  listen(address: ListenAddress): Promise<number> {
    return listen(this.#server, address, 'the REST side of rules');
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let held = 0;
    const hold = (bytes: number): boolean => {
      if (this.#bytes + bytes > MAX_BYTES) return false;
      this.#bytes += bytes;
      held += bytes;
      return true;
    };
    this.#requests += 1;
    try {
      const body = this.#requests > MAX_REQUESTS ? words(503, `${MAX_REQUESTS} requests are under way already`) : await readBody(request, hold);
      const answer = Buffer.isBuffer(body)
        ? await this.#deps.serve({ method: request.method ?? 'GET', uri: request.url ?? '/', headers: goHeaders(request.rawHeaders), body }, gone.signal)
        : body;
      send(request, response, answer);
      if (!response.closed) await once(response, 'close');
    } catch (error) {
      if (!isAbort(error) && !gone.signal.aborted) {
        this.#deps.log.error('a request for a rule failed', { err: errorText(error) });
        send(request, response, words(500, errorText(error)));
      } else response.destroy();
    } finally {
      this.#requests -= 1;
      this.#bytes -= held;
    }
  }
}

async function readBody(request: IncomingMessage, hold: (bytes: number) => boolean): Promise<Buffer | RestAnswer> {
  const tooLarge = words(413, `the body has more than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return tooLarge;
    if (!hold(chunk.length)) return words(503, 'the requests under way hold too many bytes already');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: RestAnswer): void {
  if (response.destroyed || response.headersSent) return;
  const { socket } = request;
  response.statusCode = status;
  for (const [name, values] of Object.entries(headers)) {
    // What a service on a node says may be no header at all.
    if (!OF_THE_CONNECTION.has(name.toLowerCase()) && isHeader(name, values)) response.setHeader(name, [...values]);
  }
  response.end(body);
  const linger = request.complete ? undefined : setTimeout(() => socket.destroy(), 1000);
  const slow = setTimeout(() => socket.destroy(), SLOW_MS);
  response.once('close', () => clearTimeout(slow));
  // A connection that goes on serves many requests.
  if (linger !== undefined) socket.once('close', () => clearTimeout(linger));
}

function isHeader(name: string, values: readonly string[]): boolean {
  try {
    validateHeaderName(name);
    for (const value of values) validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

/** As Go's server has them: canonical, a list each, without `Host`. */
function goHeaders(raw: readonly string[]): Record<string, string[]> {
  const lists = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
    if (name !== 'Host' && name !== 'Transfer-Encoding') lists.set(name, [...(lists.get(name) ?? []), Buffer.from(raw[at + 1] as string, 'latin1').toString()]);
  }
  return Object.fromEntries([...lists].sort(([a], [b]) => (a < b ? -1 : 1)));
}
