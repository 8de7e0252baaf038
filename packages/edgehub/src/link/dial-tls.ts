import { isIP, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { abortError, errorText } from '@edge/core';
import { DialError, EdgeHubErrors, type DialFacts, type PeerCertificate } from '../errors.js';
import { formatAddress, type Address } from './address.js';
import { watchProgress } from './progress.js';

export interface DialOptions {
  readonly address: Address;
  /** PEM. Undefined: the server is not verified (only to fetch the CA, whose hash is checked then). */
  readonly ca: string | undefined;
  /** What this side shows, PEM. */
  readonly certificate?: string;
  readonly privateKey?: string;
  /** Milliseconds without a byte from the other side after which the attempt is given up. */
  readonly stallMs: number;
  /** Milliseconds for the attempt as a whole. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** A TLS connection whose server is verified, with the TCP socket below it. */
export interface Dialled {
  readonly socket: TLSSocket;
  /** Its byte counters show life even in the middle of a long frame. */
  readonly tcp: Socket;
  readonly facts: DialFacts;
}

/** How often the kernel asks a silent peer; upstream's dialer has the same. */
const KEEP_ALIVE_MS = 15_000;

/**
 * Connects and verifies. Nothing is sent before the server has proved who it is.
 * @throws DialError `edgehub.connect`, `edgehub.tls`, `edgehub.stalled` with what the server showed; `core.aborted`
 */
export function dialTls(options: DialOptions): Promise<Dialled> {
  const { address, signal } = options;
  if (signal.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const where = formatAddress(address);
    const tcp = new Socket();
    let tls: TLSSocket | undefined;
    let settled = false;
    const finish = (settle: () => void): void => {
      if (settled) return;
      settled = true;
      watch[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (error: Error): void =>
      finish(() => {
        tls?.on('error', ignore).destroy();
        tcp.on('error', ignore).destroy();
        reject(error);
      });
    const onAbort = (): void => fail(abortError(signal));
    const facts = (): DialFacts => {
      const server = tls && readPeer(tls);
      return { address: where, stage: tls ? 'tls' : 'connect', ...(server ? { server } : {}) };
    };
    const watch = watchProgress(tcp, options, (silentMs) =>
      fail(new DialError(EdgeHubErrors.stalled, `${where} ${tls ? 'takes TCP connections and then says nothing' : 'did not answer'} for ${silentMs} ms`, facts())),
    );
    signal.addEventListener('abort', onAbort, { once: true });

    tcp.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    tcp.once('error', (cause) => fail(new DialError(tls ? EdgeHubErrors.tls : EdgeHubErrors.connect, `no connection to ${where}: ${errorText(cause)}`, facts(), { cause })));
    tcp.connect({ host: address.host, port: address.port }, () => {
      if (settled) return;
      tls = startTls(tcp, options);
      tls.once('error', (cause) => fail(new DialError(EdgeHubErrors.tls, `no TLS with ${where}: ${errorText(cause)}`, facts(), { cause })));
      tls.once('close', () => fail(new DialError(EdgeHubErrors.tls, `${where} closed the connection during the TLS handshake`, facts())));
      tls.once('secureConnect', () => {
        const socket = tls as TLSSocket;
        if (options.ca !== undefined && !socket.authorized) {
          // Node puts the code as a string here when the check is left to the caller.
          const refusal = socket.authorizationError as unknown;
          const cause = refusal instanceof Error ? refusal : Object.assign(new Error(String(refusal)), { code: String(refusal) });
          fail(new DialError(EdgeHubErrors.tls, `${where} could not prove who it is: ${errorText(cause)}`, facts(), { cause }));
          return;
        }
        finish(() => {
          socket.removeAllListeners('error').removeAllListeners('close');
          socket.on('error', ignore);
          tcp.removeAllListeners('error').on('error', ignore);
          resolve({ socket, tcp, facts: { ...facts(), stage: 'request' } });
        });
      });
    });
  });
}

function startTls(tcp: Socket, { address, ca, certificate, privateKey }: DialOptions): TLSSocket {
  return connectTls({
    socket: tcp,
    host: address.host,
    ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(certificate === undefined || privateKey === undefined ? {} : { cert: certificate, key: privateKey }),
    minVersion: 'TLSv1.2',
    // Verified by hand right after the handshake, because only then can the refusal say what the server showed.
    rejectUnauthorized: false,
  });
}

function readPeer(socket: TLSSocket): PeerCertificate | undefined {
  const peer = socket.getPeerX509Certificate?.();
  if (!peer) return undefined;
  return {
    subject: oneLine(peer.subject),
    issuer: oneLine(peer.issuer),
    names: (peer.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')).filter((name) => name !== ''),
    notBefore: Date.parse(peer.validFrom),
    notAfter: Date.parse(peer.validTo),
  };
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}

function ignore(): void {
  // The socket is being thrown away, or its next owner listens to 'close'.
}
