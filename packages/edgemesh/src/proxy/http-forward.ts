import { Agent, request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { endpointKey } from '../balance/endpoint.js';
import type { Endpoint } from '../data/service-table.js';
import type { Backend } from './backends.js';
import { hasBody, isIdempotent, requestHeaders, responseHeaders } from './http-heads.js';
import type { ProxyLimits } from './limits.js';

/** Idle connections that are kept to one endpoint, and how long. */
const KEPT = 16;
const KEPT_MS = 15_000;

type Outcome = 'answered' | 'broken' | 'stale' | 'refused';

/**
 * Passes requests on, one at a time. A request is sent to another endpoint when the first took no connection, and,
 * where its method may be repeated and it has no body, when the connection broke before an answer. [edgemesh-45]
 */
export class HttpForward implements Disposable {
  readonly #limits: ProxyLimits;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: KEPT, timeout: KEPT_MS, scheduling: 'lifo' });

  constructor(deps: { limits: ProxyLimits }) {
    this.#limits = deps.limits;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** Answers whatever happens. */
  async forward(incoming: IncomingMessage, outgoing: ServerResponse, backend: Backend | undefined): Promise<void> {
    try {
      await this.#forward(incoming, outgoing, backend);
    } catch {
      // A head that Node.js refuses to send on.
      answerOnce(outgoing, 400, 'the request cannot be passed on');
    }
  }

  async #forward(incoming: IncomingMessage, outgoing: ServerResponse, backend: Backend | undefined): Promise<void> {
    const client = incoming.socket.remoteAddress ?? '';
    const mayRepeat = isIdempotent({ method: incoming.method ?? 'GET' }) && !hasBody(incoming);
    const tried = new Set<string>();
    // What must not be repeated goes over a connection that the other side cannot just be closing.
    let agent = mayRepeat ? this.#agent : undefined;
    for (let attempt = 0; backend !== undefined && attempt < this.#limits.attempts && !outgoing.destroyed; attempt += 1) {
      const endpoint = backend.choose(client, tried);
      if (endpoint === undefined) break;
      tried.add(endpointKey(endpoint));
      const closed = backend.opened(endpoint);
      try {
        const outcome = await this.#attempt(incoming, outgoing, endpoint, backend, client, agent);
        if (outcome === 'stale') {
          agent = undefined;
          tried.delete(endpointKey(endpoint));
          attempt -= 1;
        }
        if (outcome === 'answered' || (outcome === 'broken' && !mayRepeat)) return answerOnce(outgoing, 502, 'the service broke off');
      } finally {
        closed();
      }
    }
    answerOnce(outgoing, 503, 'no endpoint of the service takes a connection');
  }

  /**
   * `refused`: nothing was sent. `broken`: the connection ended before an answer. `stale`: so did one that had been idle, which
   * says nothing about the endpoint. `answered`: an answer began; it is over.
   */
  #attempt(incoming: IncomingMessage, outgoing: ServerResponse, { address, port }: Endpoint, backend: Backend, client: string, agent: Agent | undefined): Promise<Outcome> {
    const endpoint = { address, port } as Endpoint;
    return new Promise((resolve) => {
      const head = { method: incoming.method ?? 'GET', rawHeaders: incoming.rawHeaders };
      const upstream = request({ host: address, port, method: head.method, path: incoming.url ?? '/', headers: requestHeaders(head, client) as never, agent: agent ?? false, setHost: false });
      let state: 'connecting' | 'sent' | 'answered' = 'connecting';
      let isOver = false;
      const over = (outcome: Outcome): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        outgoing.off('close', gone);
        incoming.unpipe(upstream);
        if (outcome === 'broken' || outcome === 'refused') backend.failed(endpoint);
        resolve(outcome);
      };
      const gone = (): void => {
        upstream.destroy();
        over('answered');
      };
      const timer = setTimeout(() => upstream.destroy(), this.#limits.connectMs);
      outgoing.on('close', gone);
      upstream.on('error', () => {
        if (state === 'answered') outgoing.destroy();
        over(state === 'connecting' ? 'refused' : state === 'answered' ? 'answered' : upstream.reusedSocket ? 'stale' : 'broken');
      });
      upstream.on('socket', (socket) => {
        const send = (): void => {
          clearTimeout(timer);
          state = 'sent';
          sendBody(incoming, upstream);
        };
        if (socket.connecting) socket.once('connect', send);
        else send();
      });
      upstream.on('continue', () => outgoing.writeContinue());
      upstream.on('upgrade', (_answer, socket) => {
        socket.destroy();
        answerOnce(outgoing, 502, 'the service wants to speak another protocol');
        over('answered');
      });
      upstream.on('response', (answer) => {
        state = 'answered';
        backend.succeeded(endpoint);
        try {
          pass(answer, outgoing, () => over('answered'));
        } catch {
          // A head that must not be said to the client.
          upstream.destroy();
          answerOnce(outgoing, 502, 'the service answered what is no HTTP');
          over('answered');
        }
      });
    });
  }
}

function sendBody(incoming: IncomingMessage, upstream: ClientRequest): void {
  if (!hasBody(incoming)) {
    upstream.end();
    return;
  }
  upstream.flushHeaders();
  incoming.on('end', () => {
    if (incoming.rawTrailers.length > 0) upstream.addTrailers(pairs(incoming.rawTrailers) as never);
  });
  incoming.pipe(upstream);
}

function pass(answer: IncomingMessage, outgoing: ServerResponse, done: () => void): void {
  outgoing.sendDate = false;
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer.rawHeaders) as never);
  // Answers that come over a long time begin at once.
  outgoing.flushHeaders();
  answer.on('end', () => {
    if (answer.rawTrailers.length > 0) outgoing.addTrailers(pairs(answer.rawTrailers) as never);
  });
  // Half an answer must not look like a whole one.
  answer.on('aborted', () => outgoing.destroy());
  answer.on('error', () => outgoing.destroy());
  outgoing.on('finish', done);
  answer.pipe(outgoing);
}

function answerOnce(outgoing: ServerResponse, status: number, text: string): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  outgoing.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': text.length + 1, Connection: 'close' }).end(`${text}\n`);
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as [string, string]] : []));
}
