import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorText } from '@edge/core';
import { ApiFault, type ContentAnswer } from './answer.js';
import { isLoopback } from './loopback.js';

export interface RelayInput {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
  /** The runtime's streaming URL, good for one use. */
  readonly url: string;
  /** A session without a byte either way ends after this. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** Hop-by-hop for us: the runtime has another name, and our token is none of its business. */
const OWN_HEADERS = new Set(['host', 'authorization']);

/**
 * Repeats an upgrade request to the runtime's server and from then on passes bytes, whatever protocol they are: each side
 * is read only as fast as the other takes it, and the end of one direction leaves the other open.
 * @returns when the session is over; an answer when the runtime refused the upgrade, to be given to the client
 * @throws ApiFault 502 when the runtime's server is not there
 */
export async function relayUpgrade(input: RelayInput): Promise<ContentAnswer | undefined> {
  const { request, socket, head, url, idleMs, signal } = input;
  const outcome = await askForUpgrade(request, new URL(url), signal);
  if ('refused' in outcome) return outcome.refused;
  const { answer, upstream, early } = outcome;
  if (signal.aborted || socket.destroyed) {
    upstream.destroy();
    return undefined;
  }
  socket.write(headText(`HTTP/1.1 101 ${answer.statusMessage || 'Switching Protocols'}`, answer.rawHeaders));
  if (early.length > 0) socket.write(early);
  if (head.length > 0) upstream.write(head);
  await joinSockets(socket, upstream, idleMs, signal);
  return undefined;
}

type Outcome = { readonly refused: ContentAnswer } | { readonly answer: IncomingMessage; readonly upstream: Socket; readonly early: Buffer };

function askForUpgrade(request: IncomingMessage, target: URL, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({
      method: request.method ?? 'GET',
      path: target.pathname + target.search,
      headers: ['Host', target.host, ...ownHeadersRemoved(request.rawHeaders)],
      signal,
      // A connection of its own that may be closed one way first.
      createConnection: () => dial(target),
    });
    asked.on('upgrade', (answer, upstream, early) => resolve({ answer, upstream: upstream as Socket, early }));
    asked.on('response', (answer) => {
      const type = answer.headers['content-type'];
      resolve({ refused: { status: answer.statusCode ?? 502, ...(type === undefined ? {} : { type }), body: answer } });
    });
    asked.on('error', (error) => reject(new ApiFault(502, `the container runtime's streaming server does not answer: ${errorText(error)}`)));
    asked.end();
  });
}

function dial(target: URL): Socket {
  // `hostname` has brackets around an IPv6 address.
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
  const socket = connectTcp({ host, port, allowHalfOpen: true });
  if (target.protocol !== 'https:') return socket;
  // On the loopback the runtime shows a certificate that it made itself; nobody else can listen there in its place.
  return connectTls({ socket, servername: isIP(host) ? '' : host, rejectUnauthorized: !isLoopback(host) });
}

function ownHeadersRemoved(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!OWN_HEADERS.has(name.toLowerCase())) kept.push(name, rawHeaders[at + 1] as string);
  }
  return kept;
}

function headText(first: string, rawHeaders: readonly string[]): string {
  const lines = [first];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * So long a stream may be silent whose client has ended its direction, or has all that the runtime will ever say, milliseconds. A
 * runtime does not notice that the reader of a process it was attached to has gone; without this the two connections would stay
 * until the process ends.
 */
const HALF_CLOSED_MS = 5000;

/**
 * Passes bytes both ways until both directions have ended, one side breaks, nothing moves for `idleMs`, or for `halfClosedMs`
 * after one direction has ended, or the signal aborts. A client that reads slowly still gets what the runtime said last.
 */
export function joinSockets(client: Socket, runtime: Socket, idleMs: number, signal: AbortSignal, halfClosedMs = HALF_CLOSED_MS): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => {
      client.destroy();
      runtime.destroy();
    };
    const nearlyOver = (): void => {
      for (const side of [client, runtime]) side.setTimeout(Math.min(idleMs, halfClosedMs));
    };
    let open = 2;
    for (const [from, to] of [
      [client, runtime],
      [runtime, client],
    ] as const) {
      from.setNoDelay(true);
      // Bytes of either direction pass through each of the two, so one that is idle means that the session is.
      from.setTimeout(idleMs, cut);
      from.on('error', cut);
      from.on('close', (broken) => {
        // What was already handed over still goes out, but nothing can come back.
        if (broken) to.destroy();
        else to.destroySoon();
        open -= 1;
        if (open > 0) return;
        signal.removeEventListener('abort', cut);
        resolve();
      });
      from.pipe(to);
    }
    client.once('end', nearlyOver);
    // Not at the end itself: last bytes may still wait for a reader who has stopped for a while.
    runtime.once('end', () => client.once('finish', nearlyOver));
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
  });
}
