import { request as plainRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import { abortError, errorCode, errorText } from '@edge/core';
import { dialError, isDialError, tookTooLong, unreachable } from './failure.js';
import { limit } from './limit.js';
import type { HttpAnswer, HttpCall } from './reach.js';

const BODY_LIMIT = 10 * 1024;
const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Generous, as the clients are that applications were tried with. */
const HEADER_LIMIT = 1024 * 1024;

/** GET, see `Reach`. Every attempt has a connection of its own, so that a server that lost its state is noticed. */
export async function httpGet(call: HttpCall, timeoutMs: number | undefined, signal: AbortSignal): Promise<HttpAnswer> {
  using limited = limit(signal, timeoutMs);
  try {
    const first = new URL(call.url);
    let url = first;
    for (let redirects = 0; ; redirects += 1) {
      const answer = await get(url, headersOf(call), limited.signal);
      const next = REDIRECTS.includes(answer.status) ? elsewhere(answer.location, url) : undefined;
      if (next?.hostname !== first.hostname) return { status: answer.status, body: answer.body };
      if (redirects >= MAX_REDIRECTS) throw unreachable(`Get "${next.href}": stopped after ${MAX_REDIRECTS} redirects`);
      url = next;
    }
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    if (limited.timedOut) throw tookTooLong(`Get "${call.url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`);
    throw error;
  }
}

function get(url: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<HttpAnswer & { readonly location: string | undefined }> {
  const tls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      const port = Number(url.port) || (tls ? 443 : 80);
      const what = isDialError(error) ? dialError(host, port, error) : isPlainAnswer(error) ? 'http: server gave HTTP response to HTTPS client' : errorText(error);
      reject(unreachable(`Get "${url.href}": ${what}`, error));
    };
    const options = {
      host,
      port: url.port,
      path: url.pathname + url.search,
      headers,
      agent: false as const,
      signal,
      insecureHTTPParser: true,
      maxHeaderSize: HEADER_LIMIT,
      // Node would take the name from a Host header.
      ...(tls ? { rejectUnauthorized: false, servername: isIP(host) === 0 ? host : '' } : {}),
    };
    const request = tls ? tlsRequest(options) : plainRequest(options);
    request.once('error', fail);
    request.once('response', (response) => {
      const { statusCode = 0 } = response;
      bodyOf(response).then((body) => resolve({ status: statusCode, body, location: response.headers.location }), fail);
    });
    request.end();
  });
}

/** The beginning of the body; the rest is not waited for. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= BODY_LIMIT) break;
  }
  return Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString('utf8');
}

function headersOf({ headers }: HttpCall): OutgoingHttpHeaders {
  const collected: Record<string, string[]> = {};
  for (const [name, value] of headers) (collected[name] ??= []).push(value);
  return Object.fromEntries(Object.entries(collected).map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

function elsewhere(location: string | undefined, base: URL): URL | undefined {
  if (!location) return undefined;
  const url = URL.canParse(location, base.href) ? new URL(location, base.href) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

/** True for TLS spoken to a server that does not. */
export function isPlainAnswer(error: unknown): boolean {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(errorCode(error))) return true;
  return errorCode(error) === 'EPROTO' && /wrong version number|packet length too long|http request/.test(errorText(error));
}
