import type { ServerResponse } from 'node:http';
import { ApiError, isApiError } from '../errors.js';
import type { AnswerForm } from './accept.js';

/** Sends a value in the negotiated encoding. Does nothing when the client has gone. */
export async function respond(response: ServerResponse, code: number, value: unknown, encoding: AnswerForm['encoding'] = 'json'): Promise<void> {
  if (encoding === 'json') {
    respondText(response, code, `${JSON.stringify(value)}\n`, 'application/json');
    return;
  }
  const { stringify } = await import('yaml');
  respondText(response, code, stringify(value, { aliasDuplicateObjects: false }), 'application/yaml');
}

export function respondText(response: ServerResponse, code: number, text: string | Buffer, contentType: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(code, {
    'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
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
