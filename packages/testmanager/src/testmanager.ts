import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { errorCode, errorText, token, untilAborted, type Life, type Logger, type MessageBus, type Runnable, type Token } from '@edge/core';
import type { TestManagerConfig } from './config.js';
import { testManagerError } from './errors.js';
import { injectionOf, injects, takes } from './injection.js';
import { podList } from './pod-list.js';

export interface TestManagerDeps {
  readonly config: TestManagerConfig;
  readonly bus: MessageBus;
  readonly log: Logger;
}

const MAX_BODY_BYTES = 5_000_000;

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

/** Plays the cloud's part: what is sent to it, modules get as if the cloud had sent it. For tests; whoever reaches the port may do everything. */
export class TestManager implements Runnable {
  readonly #deps: TestManagerDeps;

  constructor(deps: TestManagerDeps) {
    this.#deps = deps;
  }

  /** @throws EdgeError `testmanager.listen` */
  async run({ signal, ready }: Life): Promise<void> {
    const { config, log } = this.#deps;
    const server = createServer({ requestTimeout: 30_000 }, (request, response) => void this.#serve(request, response, signal));
    await listen(server, config.port);
    log.warn('the test module is on: programs on this machine can play the cloud (modules.dbTest)', { at: `127.0.0.1:${config.port}` });
    ready();
    await untilAborted(signal);
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { status, type = 'text/plain; charset=utf-8', body = '' } = await this.#answer(request, signal).catch((error: unknown): Answer => ({
      status: errorCode(error) === 'testmanager.bad-request' ? 400 : 500, body: errorText(error),
    }));
    if (response.destroyed) return;
    response.writeHead(status, { ...(body === '' ? {} : { 'Content-Type': type }), 'Content-Length': Buffer.byteLength(body) }).end(body);
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    const { method = '', url = '/' } = request;
    const path = url.split('?', 1)[0] as string;
    // A page in a browser on this machine reaches the loopback, too.
    if (request.headers.origin !== undefined || !/^(localhost|127(\.\d{1,3}){3}|)(:\d*)?$/i.test(request.headers.host ?? '')) return { status: 403, body: 'requests of web pages are not taken' };
    if (!takes(path)) return { status: 404, body: '404 page not found' };
    if (path === '/pods' && method === 'GET') return { status: 200, type: 'application/json', body: await podList(this.#deps.bus, signal) };
    if (!injects(method)) return { status: 405, body: `${method} means nothing to ${path}; it takes POST, PUT and DELETE` };
    const { to, message } = injectionOf(method, path, await readBody(request));
    await this.#deps.bus.send({ module: to }, message);
    return { status: 200 };
  }
}

/** @throws EdgeError `testmanager.bad-request` */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw testManagerError('testmanager.bad-request', `the body has more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(testManagerError('testmanager.listen', `the test module cannot listen on 127.0.0.1:${port}: ${errorText(error)}`, error)));
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

export const TestManagerEntry: Token<TestManager> = token<TestManager>('testmanager', 'TestManager');
