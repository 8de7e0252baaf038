import { lookup } from 'node:dns';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { errorCode, errorText } from '@edge/core';
import { serviceBusError } from '../errors.js';
import type { Hop } from './redirect.js';

/** The head of an answer; its body is still to be read. */
export interface Head {
  readonly status: number;
  readonly location: string | undefined;
  /** Name and value in turns. */
  readonly rawHeaders: readonly string[];
  readonly body: IncomingMessage;
}

/** Throws when a request may not go to this address. */
export type Admit = (url: URL, address: string) => void;

/** Idle connections end before a service closes them, or a request would run into that. */
const IDLE_MS = 1000;
const MAX_HEAD_BYTES = 1024 * 1024;
const SAFE_TO_REPEAT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE']);

/** Requests to services, over connections that are used again. The only file that knows Node's HTTP client. */
export class Exchange implements Disposable {
  readonly #plain = new Agent({ keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 32 });
  readonly #tls = new TlsAgent({ keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 8 });

  /**
   * Sends one request; resolves with the head of its answer.
   * @throws EdgeError `servicebus.unreachable`, `servicebus.no-answer`, what `admit` throws, or the reason of the signal
   */
  async ask(hop: Hop, admit: Admit, signal: AbortSignal): Promise<Head> {
    const host = hop.url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0) admit(hop.url, host);
    try {
      return await this.#send(hop, admit, signal);
    } catch (error) {
      // A connection that was idle may have been closed that very moment.
      if (error instanceof StaleConnection && SAFE_TO_REPEAT.has(hop.method)) return this.#send(hop, admit, signal);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  #send(hop: Hop, admit: Admit, signal: AbortSignal): Promise<Head> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const isTls = hop.url.protocol === 'https:';
      const hostname = hop.url.hostname.replace(/^\[|\]$/g, '');
      let request: ClientRequest;
      try {
        request = (isTls ? httpsRequest : httpRequest)({
          hostname, port: hop.url.port, method: hop.method, path: hop.path ?? `${hop.url.pathname}${hop.url.search}`,
          // Over a connection that is there already no name is looked up, so nothing would be judged.
          agent: isIP(hostname) === 0 ? false : isTls ? this.#tls : this.#plain, lookup: guarded(hop.url, admit), maxHeaderSize: MAX_HEAD_BYTES,
          headers: headLines(hop),
        });
      } catch (error) {
        return reject(serviceBusError('servicebus.unreachable', `it cannot be asked this way: ${errorText(error)}`, error));
      }
      const onAbort = (): void => void request.destroy(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      request.once('close', () => signal.removeEventListener('abort', onAbort));
      request.once('error', (error) => reject(signal.aborted ? (signal.reason as Error) : failure(request, error)));
      request.once('upgrade', (_response, socket) => {
        socket.destroy();
        reject(serviceBusError('servicebus.no-answer', 'it wants to speak another protocol'));
      });
      request.once('response', (body) => {
        body.on('error', () => undefined);
        resolve({ status: body.statusCode ?? 0, location: body.headers.location, rawHeaders: body.rawHeaders, body });
      });
      request.end(hop.body);
    });
  }
}

class StaleConnection extends Error {
  readonly code = 'servicebus.no-answer';
}

function headLines({ url, method, headers, body }: Hop): string[] {
  const length = body.length > 0 || !WITHOUT_BODY.has(method) ? ['Content-Length', String(body.length)] : [];
  return ['Host', url.host, ...headers, ...length, 'Connection', 'keep-alive'];
}

/** A name is judged by the addresses that are going to be used. */
function guarded(url: URL, admit: Admit): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, options, (error, found, family) => {
      if (!error) {
        try {
          for (const { address } of typeof found === 'string' ? [{ address: found }] : found) admit(url, address);
        } catch (refused) {
          return done(refused as Error, found as string, family);
        }
      }
      done(error, found as string, family);
    });
  };
}

const NOTHING_SENT = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', 'EADDRNOTAVAIL']);

function failure(request: ClientRequest, error: Error): Error {
  const code = errorCode(error);
  if (code.startsWith('servicebus.')) return error;
  if (code === 'ECONNREFUSED') return serviceBusError('servicebus.unreachable', 'nothing listens there');
  if (NOTHING_SENT.has(code)) return serviceBusError('servicebus.unreachable', errorText(error), error);
  if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return new StaleConnection(errorText(error), { cause: error });
  return serviceBusError('servicebus.no-answer', code === 'ECONNRESET' ? 'it closed the connection without an answer' : errorText(error), error);
}
