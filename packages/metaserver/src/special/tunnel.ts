import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorText } from '@edge/core';
import { ApiError } from '@edge/kubeapi';
import type { KubeletEndpoint } from './kubelet.js';

/** The other server has another name, and who the client is to us is none of its business. */
const OWN_HEADERS = new Set(['host', 'authorization', 'cookie']);

export interface TunnelInput {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
  readonly endpoint: KubeletEndpoint;
  /** Path and query at the local kubelet API. */
  readonly path: string;
}

/**
 * Repeats an upgrade request to the local kubelet API; from then on bytes pass both ways as they are, the answer's head and a
 * refusal included. Each side is read only as fast as the other takes it; the end of one direction leaves the other open.
 * @returns when both sides are closed
 * @throws ApiError ServiceUnavailable when it cannot be reached
 */
export async function tunnel({ request, socket, head, endpoint, path }: TunnelInput): Promise<void> {
  const upstream = await dial(endpoint);
  if (socket.destroyed) return void upstream.destroy();
  upstream.write(headText(request, endpoint, path));
  if (head.length > 0) upstream.write(head);
  await join(socket, upstream);
}

/**
 * Asks the local kubelet API for an upgrade; the connection gives its answer from the first byte on.
 * @throws ApiError ServiceUnavailable when it cannot be reached
 */
export async function askForUpgrade(endpoint: KubeletEndpoint, path: string, headers: Readonly<Record<string, string>>): Promise<Duplex> {
  const upstream = await dial(endpoint);
  upstream.write(headText({ method: 'POST', rawHeaders: Object.entries(headers).flat() }, endpoint, path));
  return upstream;
}

function dial({ host, port }: KubeletEndpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => reject(new ApiError('ServiceUnavailable', `the local kubelet API does not answer: ${errorText(error)}`)));
  });
}

function headText({ method, rawHeaders }: Pick<IncomingMessage, 'method' | 'rawHeaders'>, { host, port, token }: KubeletEndpoint, path: string): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host.includes(':') ? `[${host}]` : host}:${port}`];
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!OWN_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join(a: Duplex, b: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    for (const [from, to] of [[a, b], [b, a]] as const) {
      const broken = (): void => void to.destroy();
      from.on('error', broken);
      from.on('close', () => {
        // What was handed over before the end still goes out, and nothing can come back.
        if (from.readableEnded) to.end();
        else to.destroy();
        open -= 1;
        if (open === 0) resolve();
      });
      from.pipe(to);
    }
  });
}
