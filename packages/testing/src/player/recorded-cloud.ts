import { createServer, type Server } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeMessage, encodeMessage, Operations, type Message } from '@edge/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import type { TestCa } from '../tls/test-ca.js';
import { isRoutine, subject, type CaptureStep } from './capture.js';

/** A message of the agent and when it came. */
export interface Heard {
  readonly session: number;
  readonly message: Message;
}

/** A push of the recording. */
interface Push {
  readonly message: Message;
  /** Subjects of edge messages that came between the push before and this one: it is sent when these were heard. */
  readonly gates: readonly string[];
}

export interface RecordedCloudOptions {
  readonly ca: TestCa;
  /** Recordings, played one after the other. */
  readonly captures: readonly (readonly CaptureStep[])[];
  /** Milliseconds to wait for an edge message that the recording has before the next push. Then the push goes out anyway and the miss is noted. */
  readonly patienceMs?: number;
  /** What to do with a request that the recording does not have. Silence unless given. */
  readonly otherwise?: (message: Message) => Message | undefined;
  /** Picks the recorded request that an agent's message stands for; by default the next one with the same subject. */
  readonly match?: (message: Message, candidates: readonly Message[]) => Message | undefined;
}

/** Plays the cloud's side of a recording over a real TLS WebSocket and writes down what the agent says. */
export interface RecordedCloud extends AsyncDisposable {
  /** `127.0.0.1:<port>` for `edgeHub.websocket.server`. */
  readonly address: string;
  readonly heard: readonly Heard[];
  /** Handshakes: path and headers. */
  readonly handshakes: readonly { readonly url: string; readonly headers: IncomingHttpHeaders; readonly clientCn: string }[];
  /** Ids of pushes that were acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  /** Ids of pushes sent so far. */
  readonly pushed: readonly string[];
  /** Gates that were not heard in time. */
  readonly missed: readonly string[];
  /** Resolves when every push was sent and acknowledged. Rejects after `timeoutMs`, saying what is open. */
  played(timeoutMs?: number): Promise<void>;
  /** Resolves when a message that fits was heard. */
  hear(fits: (message: Message) => boolean, timeoutMs?: number): Promise<Message>;
  /** Breaks the present connection without a closing handshake. */
  cut(): void;
}

/** Starts playing on a free port of the loopback. */
export async function playRecordedCloud(options: RecordedCloudOptions): Promise<RecordedCloud> {
  const { certificate, privateKey } = await options.ca.server();
  const server = createServer({ cert: certificate, key: privateKey, ca: options.ca.certificate, requestCert: true, rejectUnauthorized: true });
  const player = new Player(server, options);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return player;
}

class Player implements RecordedCloud {
  readonly heard: Heard[] = [];
  readonly handshakes: { url: string; headers: IncomingHttpHeaders; clientCn: string }[] = [];
  readonly acknowledged = new Set<string>();
  readonly pushed: string[] = [];
  readonly missed: string[] = [];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #options: RecordedCloudOptions;
  readonly #pushes: readonly Push[];
  readonly #needAck: ReadonlySet<string>;
  readonly #requests: { request: Message; replies: Message[] }[];
  readonly #used = new Set<Message>();
  readonly #listeners = new Set<() => void>();
  #socket: WebSocket | undefined;
  #session = 0;
  #playing = false;
  #closed = false;

  constructor(server: Server, options: RecordedCloudOptions) {
    this.#server = server;
    this.#options = options;
    const steps = options.captures.flat();
    this.#pushes = planPushes(steps);
    this.#needAck = recordedAcks(steps);
    this.#requests = planReplies(steps);
    this.#sockets = new WebSocketServer({ server, perMessageDeflate: false });
    this.#sockets.on('connection', (socket, request) => {
      const peer = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
      this.handshakes.push({ url: request.url ?? '', headers: request.headers, clientCn: String(peer.subject?.CN ?? '') });
      this.#socket?.terminate();
      this.#socket = socket;
      this.#session += 1;
      socket.on('message', (data) => this.#hear(String(data), socket));
      socket.on('error', () => socket.terminate());
      void this.#play();
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async played(timeoutMs = 20_000): Promise<void> {
    const open = (): string[] => [
      ...this.#pushes.filter(({ message }) => !this.pushed.includes(message.header.id)).map(({ message }) => `not sent: ${subject(message)}`),
      ...this.#pushes
        .filter(({ message }) => this.#needAck.has(message.header.id) && !this.acknowledged.has(message.header.id))
        .map(({ message }) => `not acknowledged: ${subject(message)}`),
    ];
    await this.#until(() => open().length === 0, timeoutMs, () => `the recording was not played to its end; ${open().join('; ')}`);
  }

  async hear(fits: (message: Message) => boolean, timeoutMs = 10_000): Promise<Message> {
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
    this.heard.push({ session: this.#session, message });
    const parent = message.header.parentId;
    if (parent !== undefined) {
      if (message.route.operation === Operations.response) this.acknowledged.add(parent);
    } else if (!isRoutine(message)) {
      for (const reply of this.#repliesTo(message)) {
        socket.send(encodeMessage({ ...reply, header: { ...reply.header, parentId: message.header.id } }));
      }
    }
    this.#changed();
  }

  #repliesTo(message: Message): readonly Message[] {
    const same = this.#requests.filter(({ request }) => subject(request) === subject(message));
    const fresh = same.filter(({ request }) => !this.#used.has(request));
    const wanted = this.#options.match?.(message, fresh.map(({ request }) => request));
    const chosen = fresh.find(({ request }) => request === wanted) ?? fresh[0] ?? same.at(-1);
    if (!chosen) {
      const answer = this.#options.otherwise?.(message);
      return answer ? [answer] : [];
    }
    // Those that lie before it were left out by the agent, which sends fewer messages.
    for (const { request } of same) {
      this.#used.add(request);
      if (request === chosen.request) break;
    }
    return chosen.replies;
  }

  async #play(): Promise<void> {
    if (this.#playing) return;
    this.#playing = true;
    for (const push of this.#pushes) {
      for (const gate of push.gates) {
        await this.#until(() => this.#closed || this.heard.some(({ message }) => subject(message) === gate), this.#options.patienceMs ?? 3000, () => gate).catch(
          () => this.missed.push(gate),
        );
      }
      if (this.#closed) return;
      this.#socket?.send(encodeMessage(push.message));
      this.pushed.push(push.message.header.id);
      // CloudHub has one push in flight: the next waits for the acknowledgement.
      if (!this.#needAck.has(push.message.header.id)) continue;
      await this.#until(() => this.#closed || this.acknowledged.has(push.message.header.id), 5000, () => '').catch(() => undefined);
    }
    this.#changed();
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

function planPushes(steps: readonly CaptureStep[]): Push[] {
  const pushes: Push[] = [];
  let gates: string[] = [];
  for (const step of steps) {
    if (step.kind === 'edge' && !isRoutine(step.message) && step.message.header.parentId === undefined && !step.message.route.resource.includes('/lease/')) {
      gates.push(subject(step.message));
    } else if (step.kind === 'cloud' && step.message.header.parentId === undefined) {
      pushes.push({ message: step.message, gates: [...new Set(gates)] });
      gates = [];
    }
  }
  return pushes;
}

function recordedAcks(steps: readonly CaptureStep[]): Set<string> {
  return new Set(steps.flatMap((step) => (step.kind === 'edge' && step.message.header.parentId !== undefined ? [step.message.header.parentId] : [])));
}

function planReplies(steps: readonly CaptureStep[]): { request: Message; replies: Message[] }[] {
  const requests = steps.flatMap((step) => (step.kind === 'edge' && step.message.header.parentId === undefined ? [{ request: step.message, replies: [] as Message[] }] : []));
  for (const step of steps) {
    if (step.kind !== 'cloud' || step.message.header.parentId === undefined) continue;
    requests.find(({ request }) => request.header.id === step.message.header.parentId)?.replies.push(step.message);
  }
  return requests.filter(({ replies }) => replies.length > 0);
}
