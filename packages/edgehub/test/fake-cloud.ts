import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createResponse, decodeMessage, encodeMessage, type Message } from '@edge/protocol';
import type { TestCa, Validity } from '@edge/testing';
import { WebSocketServer, type WebSocket } from 'ws';

/** What a test may change about the cloud while it runs. */
export interface CloudHabits {
  /** Answers to messages; nothing unless it returns something. Default: the answers that a healthy CloudHub gives. */
  answer: (message: Message) => Message | undefined;
  /** Takes the connection's life: called when one opens. */
  onOpen: (socket: WebSocket) => void;
  /** Replaces the certificate endpoint. */
  http: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Life of certificates that it signs. */
  validity: Validity;
}

export interface Session {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly certificateSerial: string;
  readonly socket: WebSocket;
}

/** CloudHub's side of link and enrolment, in process, over real TLS. */
export class FakeCloud implements AsyncDisposable {
  readonly habits: CloudHabits = { answer: healthy, onOpen: () => undefined, http: undefined, validity: {} };
  readonly heard: Message[] = [];
  readonly sessions: Session[] = [];
  /** Paths asked of the certificate endpoint, with what the asker showed. */
  readonly asked: { path: string; node: string; bearer: boolean; client: string }[] = [];
  readonly #ca: TestCa;
  readonly #hub: Server;
  readonly #https: Server;
  readonly #sockets: WebSocketServer;
  readonly #secret = randomBytes(32);

  private constructor(ca: TestCa, hub: Server, https: Server) {
    this.#ca = ca;
    this.#hub = hub;
    this.#https = https;
    this.#sockets = new WebSocketServer({ server: hub, perMessageDeflate: false });
    this.#sockets.on('connection', (socket, request) => this.#open(socket, request));
    // As CloudHub: without an upgrade there is nothing to be had.
    hub.on('request', (_request: IncomingMessage, response: ServerResponse) => response.writeHead(400).end('Bad Request'));
    https.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (this.habits.http) this.habits.http(request, response);
      else void this.#enrol(request, response);
    });
  }

  static async start(ca: TestCa, options: { names?: readonly string[]; validity?: Validity; hubPort?: number } = {}): Promise<FakeCloud> {
    const { certificate, privateKey } = await ca.server(options.names, options.validity);
    const tls = { cert: certificate, key: privateKey, ca: ca.certificate, requestCert: true };
    const hub = createServer({ ...tls, rejectUnauthorized: true });
    const https = createServer({ ...tls, rejectUnauthorized: false });
    for (const [server, port] of [[hub, options.hubPort ?? 0], [https, 0]] as const) await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new FakeCloud(ca, hub, https);
  }

  get hubPort(): number {
    return (this.#hub.address() as AddressInfo).port;
  }

  get httpsPort(): number {
    return (this.#https.address() as AddressInfo).port;
  }

  get socket(): WebSocket {
    return (this.sessions.at(-1) as Session).socket;
  }

  token(expires: Date = new Date(Date.now() + 3_600_000), caHash: string = this.#ca.hash): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.floor(expires.getTime() / 1000) })}`;
    return `${caHash}.${claims}.${this.#sign(claims)}`;
  }

  send(message: Message): void {
    this.socket.send(encodeMessage(message));
  }

  async until(fits: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!fits()) {
      if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async hear(fits: (message: Message) => boolean, what = 'a message', timeoutMs?: number): Promise<Message> {
    await this.until(() => this.heard.some(fits), what, timeoutMs);
    return this.heard.find(fits) as Message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    for (const server of [this.#hub, this.#https]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #open(socket: WebSocket, request: IncomingMessage): void {
    const peer = (request.socket as TLSSocket).getPeerCertificate();
    this.sessions.push({ url: request.url ?? '', headers: request.headers, certificateSerial: peer.serialNumber, socket });
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(data.toString('utf8'));
      this.heard.push(message);
      const answer = this.habits.answer(message);
      if (answer) socket.send(encodeMessage(answer));
    });
    this.habits.onOpen(socket);
  }

  async #enrol(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const socket = request.socket as TLSSocket;
    const client = socket.authorized ? String(socket.getPeerCertificate().subject?.CN ?? '') : '';
    const bearer = /^Bearer (.+)\.([^.]+)$/.exec(request.headers.authorization ?? '');
    this.asked.push({ path: request.url ?? '', node: String(request.headers['nodename'] ?? ''), bearer: bearer !== null, client });
    if (request.url === '/ca.crt') {
      response.end(Buffer.from(this.#ca.certificate.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64'));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const allowed = bearer ? bearer[2] === this.#sign(bearer[1] ?? '') : client === `system:node:${String(request.headers['nodename'])}`;
    if (request.url !== '/edge.crt' || !allowed) {
      response.writeHead(request.url === '/edge.crt' ? 401 : 404).end('Invalid authorization token');
      return;
    }
    response.end(await this.#ca.certify(Buffer.concat(chunks), this.habits.validity));
  }

  #sign(claims: string): string {
    return createHmac('sha256', this.#secret).update(claims).digest('base64url');
  }
}

/** What a healthy CloudHub answers to the messages that it always answers. */
export function healthy(message: Message): Message | undefined {
  const { operation, resource } = message.route;
  if (message.header.parentId !== undefined) return undefined;
  const answers = operation === 'patch' || operation === 'query' || resource.includes('/lease/') || (operation === 'delete' && resource.includes('/pod/'));
  return answers ? createResponse(message, operation === 'delete' ? 'OK' : { Object: { metadata: {} }, Err: null }, { source: 'edgecontroller', group: 'resource' }) : undefined;
}
