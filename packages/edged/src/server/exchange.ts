import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { errorText } from '@edge/core';
import { ApiFault, type ContentAnswer } from './answer.js';

/** A response for a request whose connection node:http has already handed over because the client asked for an upgrade. */
export function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  return response;
}

/** Sends an answer. Returns early, without an error, when the client is gone. */
export async function send(response: ServerResponse, answer: ContentAnswer, signal: AbortSignal): Promise<void> {
  const { status = 200, type = 'text/plain; charset=utf-8', headers = {}, body } = answer;
  if (response.destroyed || response.headersSent) return;
  const common = { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff', ...headers };
  if (typeof body === 'string' || body instanceof Uint8Array) {
    response.writeHead(status, { ...common, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
    return;
  }
  response.writeHead(status, common);
  // The client of a log that is followed wants to know at once that it will be.
  response.flushHeaders();
  try {
    await pipeline(Readable.from(body, { objectMode: false }), response, { signal });
  } catch {
    // The head is gone: a cut connection is the only way left to say that this is not all.
    response.destroy();
  }
}

/** What a failure of a handler looks like to the client: its own words, else 500 and what went wrong. */
export function faultAnswer(error: unknown, wantsUpgrade: boolean): ContentAnswer {
  const [status, message] = error instanceof ApiFault ? [error.status, error.message] : [500, errorText(error)];
  const headers = status === 401 ? { headers: { 'WWW-Authenticate': 'Bearer' } } : {};
  // kubectl reads what refuses a stream as YAML first, which finds an empty object in any line with a colon: it gets an object.
  const body = wantsUpgrade ? JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: status }) : message;
  return { status, ...(wantsUpgrade ? { type: 'application/json' } : {}), body: `${body}\n`, ...headers };
}
