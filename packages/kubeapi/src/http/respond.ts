import type { ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import { ApiError, isApiError } from '../errors.js';
import type { AnswerForm } from './accept.js';

/** Answers of this size and more are compressed for clients that take it, as an API server does. */
const COMPRESSED_FROM = 128 * 1024;
/** The fastest: level 6 takes three times as long to save a tenth more. */
const LEVEL = 1;

/** Sends a value in the negotiated encoding; `pretty` is JSON for people. Does nothing when the client has gone. */
export async function respond(response: ServerResponse, code: number, value: unknown, encoding: AnswerForm['encoding'] = 'json', pretty = false): Promise<void> {
  if (encoding === 'json') {
    respondText(response, code, `${JSON.stringify(value, undefined, pretty ? 2 : 0)}\n`, 'application/json');
    return;
  }
  const { stringify } = await import('yaml');
  respondText(response, code, stringify(value, { aliasDuplicateObjects: false }), 'application/yaml');
}

export function respondText(response: ServerResponse, code: number, text: string | Buffer, contentType: string): void {
  if (response.headersSent || response.destroyed) return;
  const length = Buffer.byteLength(text);
  if (length < COMPRESSED_FROM || !takesGzip(response)) return send(response, code, text, length, contentType);
  response.setHeader('Vary', 'Accept-Encoding');
  gzip(text, { level: LEVEL }, (error, bytes) => {
    if (response.headersSent || response.destroyed) return;
    if (error !== null) return send(response, code, text, length, contentType);
    response.setHeader('Content-Encoding', 'gzip');
    send(response, code, bytes, bytes.length, contentType);
  });
}

function send(response: ServerResponse, code: number, body: string | Buffer, length: number, contentType: string): void {
  response.writeHead(code, {
    'Content-Type': contentType, 'Content-Length': length, 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

function takesGzip({ req }: ServerResponse): boolean {
  const accepted = req.headers['accept-encoding'];
  return typeof accepted === 'string' && accepted.split(',').some((part) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$)|$)/i.test(part));
}

/** Sends a failure as Status. An error that is not an ApiError is ours and tells the client nothing of its inside. */
export function respondError(response: ServerResponse, error: unknown): void {
  const known = isApiError(error) ? error : new ApiError('InternalError', 'the server met an unexpected error');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const retry = known.details.retryAfterSeconds;
  if (retry !== undefined) response.setHeader('Retry-After', String(retry));
  if (known.httpStatus === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  // What is left of a body that was too large is not read.
  if (known.httpStatus === 413) response.setHeader('Connection', 'close');
  respondText(response, known.httpStatus, `${JSON.stringify(known.toStatus())}\n`, 'application/json');
}
