import { createServer, type Server } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { decodeMessage, encodeMessage, Operations, type Message } from '@edge/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import type { TestCa } from '../tls/test-ca.js';
import { isRoutine, subject, type CaptureStep } from './capture.js';
import { describeBeat, planScore, type Beat, type Expected, type Score } from './score.js';

/** Patience is measured in real time, also when a test has put other timers in place of these. */
const { setTimeout, clearTimeout } = globalThis;

/** A message of the agent and when it came. */
export interface Heard {
  readonly session: number;
  /** Index of the recording that was being played; -1 before the first. */
  readonly capture: number;
  readonly message: Message;
  /** The frame as it came. */
  readonly text: string;
}

export interface RecordedCloudOptions {
  readonly ca: TestCa;
  /** Recordings, played one after the other. */
  readonly captures: readonly (readonly CaptureStep[])[];
  /** Milliseconds to wait for an edge message that the recording has before the next push. Then the push goes out anyway and the miss is noted. */
  readonly patienceMs?: number;
  /** What to do with a request that the recording does not have, or not once more. Undefined: the last answer to the same subject, if there is one. */
  readonly otherwise?: (message: Message) => Message | undefined;
  /** Picks the recorded message that an agent's message stands for, undefined for none; by default the next one with the same subject. */
  readonly match?: (message: Message, candidates: readonly Message[]) => Message | undefined;
  /** True for edge messages of the recording that the agent is not expected to send. */
  readonly omitted?: (message: Message) => boolean;
  /** Changes a message of the recording before it goes out, for what differs from run to run. `request` is the agent's, if it is an answer. */
  readonly adapt?: (message: Message, request?: Message) => Message;
  /** Waited for before each recording begins, with its index. */
  readonly between?: (capture: number) => Promise<void>;
  /** Told the recorded time (Unix ms) of what the play does or waits for next, and waited for. */
  readonly reached?: (at: number) => void | Promise<void>;
}

/** Plays the cloud's side of a recording over a real TLS WebSocket and writes down what the agent says. */
export interface RecordedCloud extends AsyncDisposable {
  /** `127.0.0.1:<port>` for `edgeHub.websocket.server`. */
  readonly address: string;
  readonly heard: readonly Heard[];
  /** Everything that went out, as it went out. */
  readonly sent: readonly Message[];
  /** Handshakes: path and headers. */
  readonly handshakes: readonly { readonly url: string; readonly headers: IncomingHttpHeaders; readonly clientCn: string }[];
  /** Ids of pushes that were acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  /** Ids of pushes sent so far. */
  readonly pushed: readonly string[];
  /** Edge messages of the recording that were not heard in time. */
  readonly missed: readonly string[];
  /** Resolves when the recordings are over and every push was acknowledged. Rejects after `timeoutMs`, saying what is open. */
  played(timeoutMs?: number): Promise<void>;
  /** Resolves when a message that fits was heard. */
  hear(fits: (message: Message) => boolean, timeoutMs?: number): Promise<Message>;
  /** Breaks the present connection without a closing handshake. */
  cut(): void;
}

/** Starts playing on a free port of the loopback. The play begins when the agent connects. */
export async function playRecordedCloud(options: RecordedCloudOptions): Promise<RecordedCloud> {
  const { certificate, privateKey } = await options.ca.server();
  const server = createServer({ cert: certificate, key: privateKey, ca: options.ca.certificate, requestCert: true, rejectUnauthorized: true });
  const player = new Player(server, options);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return player;
}

class Player implements RecordedCloud {
  readonly heard: Heard[] = [];
  readonly sent: Message[] = [];
  readonly handshakes: { url: string; headers: IncomingHttpHeaders; clientCn: string }[] = [];
  readonly acknowledged = new Set<string>();
  readonly pushed: string[] = [];
  readonly missed: string[] = [];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #options: RecordedCloudOptions;
  readonly #score: Score;
  readonly #listeners = new Set<() => void>();
  #socket: WebSocket | undefined;
  #session = 0;
  /** The last session that an `open` of a recording stands for. */
  #opened = 0;
  #linkUp = true;
  #capture = -1;
  #ahead: readonly Beat[];
  #playing = false;
  #closed = false;
  /** What `between` was rejected with. */
  #failure: unknown;

  constructor(server: Server, options: RecordedCloudOptions) {
    this.#server = server;
    this.#options = options;
    this.#score = planScore(options.captures, options.omitted ?? (() => false));
    this.#ahead = this.#score.parts.flat();
    this.#sockets = new WebSocketServer({ server, perMessageDeflate: false });
    // Between a recorded close and the next open there was nobody.
    server.on('connection', (tcp: Socket) => !this.#linkUp && tcp.destroy());
    server.on('tlsClientError', () => undefined);
    this.#sockets.on('connection', (socket, request) => {
      const peer = (request.socket as TLSSocket).getPeerCertificate();
      this.handshakes.push({ url: request.url ?? '', headers: request.headers, clientCn: String(peer.subject?.CN ?? '') });
      this.#socket?.terminate();
      this.#socket = socket;
      this.#session += 1;
      socket.on('message', (data) => this.#hear(String(data), socket));
      socket.on('error', () => socket.terminate());
      this.#changed();
      this.#play().catch((error: unknown) => {
        this.#failure = error;
        this.#changed();
      });
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async played(timeoutMs = 60_000): Promise<void> {
    const open = (): string[] => [
      ...this.#ahead.map((beat) => `${beat.kind === 'expect' ? 'not heard' : 'not sent'}: ${describeBeat(beat)}`),
      ...this.#score.parts
        .flat()
        .filter((beat) => beat.kind === 'push' && beat.needsAck && this.pushed.includes(beat.message.header.id) && !this.acknowledged.has(beat.message.header.id))
        .map((beat) => `not acknowledged: ${describeBeat(beat)}`),
    ];
    await this.#until(() => this.#failure !== undefined || open().length === 0, timeoutMs, () => `the recording was not played to its end; ${open().join('; ')}`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async hear(fits: (message: Message) => boolean, timeoutMs = 60_000): Promise<Message> {
    const find = (): Message | undefined => this.heard.find(({ message }) => fits(message))?.message;
    await this.#until(() => find() !== undefined, timeoutMs, () => `not heard; heard: ${this.heard.map(({ message }) => subject(message)).join(', ')}`);
    return find() as Message;
  }

  cut(): void {
    this.#socket?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#changed();
  }

  #hear(text: string, socket: WebSocket): void {
    const message = decodeMessage(text);
    this.heard.push({ session: this.#session, capture: this.#capture, message, text });
    const parent = message.header.parentId;
    if (parent !== undefined) {
      if (message.route.operation === Operations.response) this.acknowledged.add(parent);
    } else {
      const standsFor = this.#standsFor(message);
      if (standsFor) standsFor.heard = message;
      if (!isRoutine(message)) for (const reply of this.#repliesTo(message, standsFor)) this.#send(reply, socket);
    }
    this.#changed();
  }

  #standsFor(message: Message): Expected | undefined {
    const fresh = this.#score.expected.filter(
      (one) => one.capture === this.#capture && !one.omitted && one.heard === undefined && subject(one.message) === subject(message),
    );
    const { match } = this.#options;
    if (!match) return fresh[0];
    const wanted = match(message, fresh.map((one) => one.message));
    return fresh.find((one) => one.message === wanted);
  }

  #repliesTo(request: Message, standsFor: Expected | undefined): readonly Message[] {
    const { otherwise, adapt = (reply: Message) => reply } = this.#options;
    const fitting = (reply: Message): Message => adapt({ ...reply, header: { ...reply.header, parentId: request.header.id } }, request);
    if (standsFor) return standsFor.replies.map(fitting);
    const answer = otherwise?.(request);
    if (answer) return [answer];
    const before = this.#score.expected.findLast(
      (one) => one.capture <= this.#capture && one.replies.length > 0 && !one.omitted && subject(one.message) === subject(request),
    );
    return (before?.replies ?? []).map(fitting);
  }

  #send(message: Message, socket: WebSocket | undefined): void {
    this.sent.push(message);
    socket?.send(encodeMessage(message));
  }

  async #play(): Promise<void> {
    if (this.#playing) return;
    this.#playing = true;
    for (const [index, beats] of this.#score.parts.entries()) {
      await this.#options.between?.(index);
      this.#capture = index;
      for (const beat of beats) {
        await this.#options.reached?.(beat.at);
        await this.#do(beat);
        if (this.#closed) return;
        this.#ahead = this.#ahead.slice(1);
        this.#changed();
      }
    }
  }

  async #do(beat: Beat): Promise<void> {
    const { patienceMs = 3000, adapt = (message: Message) => message } = this.#options;
    switch (beat.kind) {
      case 'close':
        if (this.#linkUp) this.#breakLink();
        return;
      case 'open':
        if (this.#session === this.#opened && this.#linkUp) this.#breakLink();
        this.#linkUp = true;
        await this.#until(() => this.#closed || this.#session > this.#opened, 30_000, () => '').catch(() => this.missed.push('open'));
        this.#opened = this.#session;
        return;
      case 'expect': {
        const { expected } = beat;
        await this.#until(() => this.#closed || expected.heard !== undefined, patienceMs, () => '').catch(() => this.missed.push(subject(expected.message)));
        return;
      }
      case 'push': {
        const { id } = beat.message.header;
        this.#send(adapt(beat.message), this.#socket);
        this.pushed.push(id);
        // CloudHub has one push in flight: the next waits for the acknowledgement.
        if (beat.needsAck) await this.#until(() => this.#closed || this.acknowledged.has(id), 5000, () => '').catch(() => undefined);
      }
    }
  }

  #breakLink(): void {
    this.#opened = this.#session;
    this.#linkUp = false;
    this.cut();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #until(fits: () => boolean, timeoutMs: number, text: () => string): Promise<void> {
    if (fits()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(text()));
      }, timeoutMs);
      const listener = (): void => {
        if (!fits()) return;
        done();
        resolve();
      };
      this.#listeners.add(listener);
    });
  }
}
