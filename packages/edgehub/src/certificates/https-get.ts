import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { abortError, errorText } from '@edge/core';
import { DialError, EdgeHubErrors, type DialFacts } from '../errors.js';
import { formatAddress } from '../link/address.js';
import { dialTls, type DialOptions } from '../link/dial-tls.js';

export interface HttpsGet extends Omit<DialOptions, 'stallMs' | 'limitMs'> {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** CloudHub takes the certificate request as the body of a GET. */
  readonly body?: Uint8Array;
}

export interface HttpsAnswer {
  readonly body: Buffer;
  readonly facts: DialFacts;
}

/** Upstream's client waits as long. */
const LIMIT_MS = 30_000;
const STALL_MS = 10_000;
const MAX_BODY = 1024 * 1024;

/**
 * One GET on a connection of its own. Redirects are not followed: CloudHub has none, and whoever sends one is not CloudHub.
 * @throws DialError of `dialTls`; `edgehub.http-status`, `edgehub.http-too-large`, `edgehub.http-timeout`
 */
export async function httpsGet(options: HttpsGet): Promise<HttpsAnswer> {
  const { socket, facts } = await dialTls({ ...options, stallMs: STALL_MS, limitMs: LIMIT_MS });
  try {
    return await exchange(options, facts, () => socket);
  } finally {
    socket.destroy();
  }
}

function exchange(options: HttpsGet, facts: DialFacts, createConnection: () => Socket): Promise<HttpsAnswer> {
  const { path, headers = {}, body, signal } = options;
  const url = `https://${formatAddress(options.address)}${path}`;
  return new Promise((resolve, reject) => {
    const fail = (code: string, text: string, more: Partial<DialFacts> = {}, cause?: unknown): void =>
      reject(new DialError(code, text, { ...facts, ...more }, cause === undefined ? undefined : { cause }));
    const timer = setTimeout(() => {
      fail(EdgeHubErrors.httpTimeout, `${url} did not answer within ${LIMIT_MS / 1000} s`);
      sent.destroy();
    }, LIMIT_MS);
    const onAbort = (): void => {
      reject(abortError(signal));
      sent.destroy();
    };
    const sent = request({
      method: 'GET',
      path,
      host: options.address.host,
      port: options.address.port,
      createConnection,
      headers: { Host: formatAddress(options.address), Connection: 'close', ...headers, ...(body ? { 'Content-Length': String(body.length) } : {}) },
    });
    signal.addEventListener('abort', onAbort, { once: true });
    sent.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // Does nothing when the answer came.
      fail(EdgeHubErrors.tls, `${url}: the connection was closed before the answer was complete`);
    });
    sent.once('error', (cause) => fail(EdgeHubErrors.tls, `${url}: ${errorText(cause)}`, {}, cause));
    sent.once('response', (response) => {
      readBody(response).then(
        (received) => {
          const more = { httpStatus: response.statusCode ?? 0, ...readDate(response) };
          if (response.statusCode === 200) return resolve({ body: received, facts: { ...facts, ...more } });
          const httpBody = excerpt(received);
          const target = response.headers.location === undefined ? '' : ` (a redirect to ${response.headers.location.slice(0, 100)}, which is not followed)`;
          return fail(EdgeHubErrors.httpStatus, `${url} answered ${response.statusCode}${target}: ${httpBody}`, { ...more, httpBody });
        },
        (cause: unknown) => {
          if (cause === TOO_LARGE) fail(EdgeHubErrors.httpTooLarge, `${url} sent more than ${MAX_BODY} bytes`);
          else fail(EdgeHubErrors.tls, `${url}: ${errorText(cause)}`, {}, cause);
          sent.destroy();
        },
      );
    });
    sent.end(body);
  });
}

const TOO_LARGE = Symbol('too large');

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw TOO_LARGE;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The first words of an answer, fit for one log line. */
export function excerpt(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8', 0, 200).replace(/[^\x20-\x7e]+/g, ' ').trim();
}

function readDate(response: IncomingMessage): { serverTime?: number } {
  const serverTime = Date.parse(response.headers.date ?? '');
  return Number.isNaN(serverTime) ? {} : { serverTime };
}
