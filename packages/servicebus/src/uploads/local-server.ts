import { once, setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { backoffDelay, Complaints, errorCode, errorText, isAbort, sleep, untilAborted, type Backoff, type Logger } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { Budget, type Share } from '../budget.js';
import { isLoopback } from '../calls/own-address.js';
import { CONFIG_PATH, type ServiceBusConfig } from '../config.js';
import { serviceBusError } from '../errors.js';
import { refusedByHead } from './admission.js';
import { Rate } from './rate.js';
import { encodeResult, refused, told, type Result } from './result.js';
import type { TargetUrls } from './target-urls.js';
import { openTokenFile, type ShowsToken } from './token-file.js';
import type { Uploads } from './uploads.js';

export interface LocalServerDeps {
  readonly config: ServiceBusConfig['server'];
  readonly urls: TargetUrls;
  readonly uploads: Uploads;
  readonly budget: Budget;
  readonly log: Logger;
}

/** Bytes of a request's body, as upstream. */
export const MAX_REQUEST_BYTES = 5_000_000;
const RETRY: Backoff = { firstMs: 250, factor: 2, limitMs: 5000, jitter: 0.2 };
/** As upstream: what is under way may end. */
const GRACE_MS = 5000;
/** A program that sends or reads so slowly is let go. */
const SLOW_MS = 30_000;
const LINGER_MS = 1000;
const MAX_CONNECTIONS = 1024;
/** Bytes of bodies that have come so far, of all programs. */
const BODY_BYTES = 64 * 1024 * 1024;

/** The HTTP server for programs on this node; there while any rule names a URL. */
export class LocalServer {
  readonly #deps: LocalServerDeps;
  readonly #rate: Rate;
  readonly #said = new Complaints();
  readonly #bodies = new Budget({ count: MAX_CONNECTIONS, bytes: BODY_BYTES });

  constructor(deps: LocalServerDeps) {
    this.#deps = deps;
    this.#rate = new Rate(deps.config.requestsPerSecond);
  }

  /** Serves until the signal aborts. A port that cannot be had is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { urls, config, log } = this.#deps;
    if (!isLoopback(config.host) && config.tokenFile === '' && !config.openToNetwork) {
      log.error(`${CONFIG_PATH}.server is an address that other machines reach: no server is opened there without edge.serviceBus.tokenFile, or openToNetwork true`, { server: config.host });
      return untilAborted(signal);
    }
    for (let failures = 0; !signal.aborted; ) {
      try {
        await urls.some.until((some) => some, signal);
        await this.#serve(signal);
        failures = 0;
      } catch (error) {
        if (isAbort(error)) return;
        if (this.#said.passes(errorText(error))) log.error('programs on this node cannot reach the cloud; tried again', { err: errorText(error) });
        await sleep(backoffDelay(RETRY, failures, Math.random()), signal).catch(() => undefined);
        failures += 1;
      }
    }
  }

  /** From the first URL to the last. @throws EdgeError `servicebus.token`, `servicebus.listen` */
  async #serve(signal: AbortSignal): Promise<void> {
    const { config, urls, log } = this.#deps;
    const showsToken = config.tokenFile === '' ? undefined : await openTokenFile(config.tokenFile);
    const ended = new AbortController();
    // Each request under way listens to it.
    setMaxListeners(0, ended.signal);
    const server = createServer({ requestTimeout: SLOW_MS, headersTimeout: 10_000, keepAliveTimeout: 5000, connectionsCheckingInterval: 5000 }, (request, response) => {
      void this.#answer(request, response, showsToken, ended.signal);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('clientError', (_error, socket) => socket.destroy());
    await listen(server, config.host, config.port);
    this.#said.clear();
    log.info("programs on this node reach the cloud's rules", { at: hostPort(config.host, config.port) });
    await urls.some.until((some) => !some, signal).catch(() => undefined);
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    const early = new AbortController();
    void closed.then(() => early.abort());
    await sleep(GRACE_MS, AbortSignal.any([signal, early.signal])).catch(() => undefined);
    ended.abort();
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, showsToken: ShowsToken | undefined, ended: AbortSignal): Promise<void> {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    response.once('close', leave);
    ended.addEventListener('abort', leave, { once: true });
    const shares: Share[] = [];
    const release = (): void => shares.forEach((share) => share[Symbol.dispose]());
    try {
      const result = refusedByHead(request.headers, { host: this.#deps.config.host, showsToken }) ?? this.#tooOften();
      if (result !== undefined) return this.#send(request, response, result);
      const held = this.#bodies.enter();
      shares.push(held);
      const body = await readBody(request, held);
      // Only now: a program that sends slowly takes nobody's place.
      shares.push(this.#deps.budget.enter());
      this.#send(request, response, Buffer.isBuffer(body) ? await this.#deps.uploads.ask(body, gone.signal) : body);
    } catch (error) {
      if (gone.signal.aborted) response.destroy();
      else this.#send(request, response, errorCode(error) === 'servicebus.busy' ? refused(503, errorText(error)) : told(500, errorText(error)));
    } finally {
      ended.removeEventListener('abort', leave);
      // What was asked and answered is in memory until the program has read it.
      if (response.closed) release();
      else response.once('close', release);
    }
  }

  #tooOften(): Result | undefined {
    if (this.#rate.take()) return undefined;
    return refused(429, `more than ${this.#deps.config.requestsPerSecond} requests a second (edge.serviceBus.requestsPerSecond)`);
  }

  #send(request: IncomingMessage, response: ServerResponse, result: Result): void {
    if (response.destroyed) return;
    const { socket } = request;
    const text = encodeResult(result);
    response.writeHead(result.status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
    // Cut off in the middle of what it sends, a program would not read why; what goes on for long is cut off nevertheless.
    const linger = request.complete ? undefined : setTimeout(() => socket.destroy(), LINGER_MS);
    const slow = setTimeout(() => socket.destroy(), SLOW_MS);
    response.once('close', () => clearTimeout(slow));
    // A connection that goes on serves many requests.
    if (linger !== undefined) socket.once('close', () => clearTimeout(linger));
  }
}

/** The whole body, or why it is not taken. */
async function readBody(request: IncomingMessage, share: Share): Promise<Buffer | Result> {
  const tooLarge = refused(413, `the body has more than ${MAX_REQUEST_BYTES} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_REQUEST_BYTES) return tooLarge;
      share.add(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (errorCode(error) === 'servicebus.busy') throw error;
    return told(400, "can't read data from body of the http's request");
  }
  return Buffer.concat(chunks);
}

/** @throws EdgeError `servicebus.listen` */
function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const hint = errorCode(error) === 'EADDRINUSE' ? `another program has this port; choose another one in ${CONFIG_PATH}.port` : errorText(error);
      reject(serviceBusError('servicebus.listen', `cannot listen on ${hostPort(host, port)}: ${hint}`, error));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      // Of a server that listens nothing else comes than failures to accept, and those pass.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
