import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { abortError, errorText } from '@edge/core';
import { WebSocket, type ClientOptions } from 'ws';
import { DialError, EdgeHubErrors, type DialFacts } from '../errors.js';
import { excerpt } from '../certificates/https-get.js';
import { formatAddress } from './address.js';
import { dialTls, type Dialled, type DialOptions } from './dial-tls.js';
import { watchProgress } from './progress.js';

export interface ChannelOptions extends DialOptions {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes; a larger message from the cloud ends the channel. */
  readonly maxFrameBytes: number;
}

/** What a channel tells its owner. */
export interface ChannelEvents {
  /** One message, text or binary alike. */
  frame(text: string): void;
  /** The answer to `ping(id)`. */
  pong(id: number): void;
  /** Last event. `code` is WebSocket's, 1006 when the connection just ended. */
  closed(code: number, reason: string): void;
}

/** How long the other side may take to confirm a close before the socket is cut. */
const CLOSE_MS = 300;
/** Above this many unsent bytes the caller should wait for `writable`. */
const HIGH_WATER = 512 * 1024;

/** One open WebSocket; the only file that knows the library. */
export class Channel implements AsyncDisposable {
  readonly facts: DialFacts;
  readonly #socket: WebSocket;
  readonly #tls: Socket;
  readonly #tcp: Socket;
  #events: ChannelEvents | undefined;
  #early: (() => void)[] = [];
  #error: Error | undefined;
  /** When the oldest write that is not with the kernel yet was made; undefined when there is none. */
  #writingSince: number | undefined;
  #writes = 0;
  #onWritable: (() => void) | undefined;

  constructor(socket: WebSocket, { socket: tls, tcp, facts }: Dialled) {
    this.#socket = socket;
    this.#tls = tls;
    this.#tcp = tcp;
    this.facts = facts;
    socket.on('message', (data: Buffer) => this.#tell((events) => events.frame(data.toString('utf8'))));
    socket.on('pong', (data: Buffer) => this.#tell((events) => events.pong(Number(data.toString('latin1')))));
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', (code, reason) =>
      this.#tell((events) => events.closed(code, this.#error ? errorText(this.#error) : reason.toString('utf8').slice(0, 120))),
    );
  }

  /** Starts the events; what came before is delivered first. */
  listen(events: ChannelEvents): void {
    this.#events = events;
    for (const event of this.#early.splice(0)) event();
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Bytes received on the wire so far; grows in the middle of a frame too. */
  get bytesReceived(): number {
    return this.#tcp.bytesRead;
  }

  get writable(): boolean {
    return this.#socket.bufferedAmount < HIGH_WATER;
  }

  /** Milliseconds (of `performance.now`) since when a write hangs. */
  get writingSince(): number | undefined {
    return this.#writingSince;
  }

  /** Called when the channel got writable again. */
  set onWritable(callback: () => void) {
    this.#onWritable = callback;
  }

  send(text: string): void {
    if (this.open) this.#socket.send(text, this.#track());
  }

  /** What is sent by `work` leaves together: fewer packets, and a ping is read right behind its message. */
  together(work: () => void): void {
    this.#tls.cork();
    try {
      work();
    } finally {
      this.#tls.uncork();
    }
  }

  ping(id: number): void {
    if (this.open) this.#socket.ping(Buffer.from(String(id), 'latin1'), true, ignore);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Cuts the connection at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Says goodbye, then cuts. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.terminate(), CLOSE_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.close(1000);
    });
  }

  #track(): (error?: Error) => void {
    this.#writes += 1;
    this.#writingSince ??= performance.now();
    return () => {
      this.#writes -= 1;
      this.#writingSince = this.#writes === 0 ? undefined : performance.now();
      if (this.writable) this.#onWritable?.();
    };
  }

  #tell(event: (events: ChannelEvents) => void): void {
    const events = this.#events;
    if (events) event(events);
    else this.#early.push(() => this.#events && event(this.#events));
  }
}

/**
 * Opens the link: TCP, TLS, upgrade.
 * @throws DialError of `dialTls`, `edgehub.upgrade`, `edgehub.stalled`; EdgeError `core.aborted`
 */
export async function openChannel(options: ChannelOptions): Promise<Channel> {
  const dialled = await dialTls(options);
  const { socket, tcp, facts } = dialled;
  const { signal, headers, maxFrameBytes } = options;
  const url = `wss://${formatAddress(options.address)}${options.path}`;
  const where = facts.address;
  const web = new WebSocket(url, {
    createConnection: (() => socket) as unknown as NonNullable<ClientOptions['createConnection']>,
    headers: { ...headers },
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: maxFrameBytes,
    // Go replaces what is not UTF-8 instead of closing the link; so do we.
    skipUTF8Validation: true,
  });
  const channel = new Channel(web, dialled);
  return new Promise((resolve, reject) => {
    const watch = watchProgress(tcp, options, (silentMs) =>
      fail(new DialError(EdgeHubErrors.stalled, `${where} did not open the link for ${silentMs} ms`, facts)),
    );
    const finish = (): void => {
      watch[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
      web.off('open', onOpen).off('error', onError).off('close', onClose).off('unexpected-response', onResponse);
    };
    const fail = (error: Error): void => {
      finish();
      web.terminate();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(abortError(signal));
    const onOpen = (): void => {
      finish();
      resolve(channel);
    };
    const onError = (cause: Error): void => fail(new DialError(EdgeHubErrors.upgrade, `${where} did not open the link: ${errorText(cause)}`, facts, { cause }));
    const onClose = (): void => fail(new DialError(EdgeHubErrors.upgrade, `${where} closed the connection instead of opening the link`, facts));
    const onResponse = (_request: unknown, response: IncomingMessage): void => {
      const serverTime = Date.parse(response.headers.date ?? '');
      response.once('data', (chunk: Buffer) => answered(excerpt(chunk))).once('end', () => answered(''));
      const answered = (httpBody: string): void =>
        fail(
          new DialError(EdgeHubErrors.upgrade, `${where} answered ${response.statusCode} to the upgrade`, {
            ...facts,
            httpStatus: response.statusCode ?? 0,
            httpBody,
            ...(Number.isNaN(serverTime) ? {} : { serverTime }),
          }),
        );
    };
    signal.addEventListener('abort', onAbort, { once: true });
    web.once('open', onOpen).once('error', onError).once('close', onClose).once('unexpected-response', onResponse);
    if (signal.aborted) onAbort();
  });
}

function ignore(): void {
  // A failed write ends the channel, and the end is told by 'closed'.
}
