import type { IncomingMessage } from 'node:http';
import { isIP, Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { abortError, errorText } from '@edge/core';
import { WebSocket, type ClientOptions } from 'ws';
import { tunnelError, TunnelErrors } from './errors.js';
import { WebSocketWire } from './web-socket-wire.js';

/** Where nodes ask for the tunnel. */
export const TUNNEL_PATH = '/v1/kubeedge/connect';
/** Bytes of one message: a MiB of data, and the two numbers before it. */
export const MAX_MESSAGE = 1024 * 1024 + 20;
/** How often the kernel asks a silent peer. */
const KEEP_ALIVE_MS = 15_000;

export interface DialTunnelOptions {
  readonly host: string;
  readonly port: number;
  /** PEM: the authority of the cloud's certificate; it is always verified. */
  readonly ca: string;
  /** PEM: what the node shows. */
  readonly certificate: string;
  readonly privateKey: string;
  readonly nodeName: string;
  /** Address of the node for who looks it up by address. */
  readonly internalIp: string;
  /** Milliseconds for TCP, TLS and upgrade together. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** An open way to the cloud. */
export interface DialledTunnel {
  readonly wire: WebSocketWire;
  /** What is odd about the server's certificate although its authority is the right one: it names another host. */
  readonly otherName?: string;
}

/**
 * Asks the cloud for a tunnel.
 * @throws EdgeError `tunnel.dial` in words for people, `core.aborted`
 */
export function dialTunnel(options: DialTunnelOptions): Promise<DialledTunnel> {
  const { host, port, signal, limitMs } = options;
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (signal.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const tcp = new Socket().setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    const failed = (cause: unknown): void => fail(tunnelError(TunnelErrors.dial, `no tunnel to ${where}: ${errorText(cause)}`, cause));
    // Stays: an error that comes after the end of an attempt would end the process.
    tcp.on('error', failed);
    let web: WebSocket | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error): void => {
      finish();
      web?.terminate();
      tcp.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(abortError(signal));
    const timer = setTimeout(() => failed(new Error(`not open after ${limitMs} ms`)), limitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    tcp.connect({ host, port }, () => {
      let tls: TLSSocket;
      try {
        tls = startTls(tcp, options);
      } catch (error) {
        // A certificate or key that is none: thrown here, outside of the promise, it would end the process.
        return failed(error);
      }
      tls.on('error', failed);
      tls.once('secureConnect', () => {
        const otherName = checkServerIdentity(host, tls.getPeerCertificate());
        web = upgrade(tls, options, where);
        web.on('error', failed);
        web.once('unexpected-response', (_request: unknown, answer: IncomingMessage) => readExcerpt(answer, (words) => failed(new Error(`answered ${answer.statusCode}${words === '' ? '' : `: ${words}`}`))));
        const opened = web;
        web.once('open', () => {
          finish();
          resolve({ wire: new WebSocketWire(opened, tcp), ...(otherName === undefined ? {} : { otherName: errorText(otherName) }) });
        });
      });
    });
  });
}

/** @throws what OpenSSL says of a certificate or key that is none */
function startTls(tcp: Socket, { host, ca, certificate, privateKey }: DialTunnelOptions): TLSSocket {
  return connectTls({
    socket: tcp,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: [ca],
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    // Upstream verifies nothing here. Which authority it is can always be asked for, the name cannot be: it is reported.
    checkServerIdentity: () => undefined,
  });
}

function upgrade(socket: TLSSocket, { nodeName, internalIp }: DialTunnelOptions, where: string): WebSocket {
  return new WebSocket(`wss://${where}${TUNNEL_PATH}`, {
    createConnection: (() => socket) as unknown as NonNullable<ClientOptions['createConnection']>,
    // Spelled as CloudStream has always seen them.
    headers: { 'User-Agent': 'Go-http-client/1.1', Sessionhostnameoverride: nodeName, Sessioninternalip: internalIp },
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: MAX_MESSAGE,
    skipUTF8Validation: true,
  });
}

function readExcerpt(answer: IncomingMessage, done: (words: string) => void): void {
  let told = false;
  const tell = (words: string): void => {
    if (told) return;
    told = true;
    done(words);
  };
  answer.once('data', (chunk: Buffer) => tell(chunk.toString('utf8').replace(/\s+/g, ' ').trim().slice(0, 120)));
  answer.once('end', () => tell(''));
  answer.once('error', () => tell(''));
}
