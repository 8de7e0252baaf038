import { webcrypto } from 'node:crypto';
import { request } from 'node:https';
import { createPrivateKey } from 'node:crypto';
import { createMessage, decodeMessage, encodeMessage, type Message, type NewMessage } from '@edge/protocol';
import * as x509 from '@peculiar/x509';
import { WebSocket } from 'ws';

/** Key and certificate of a node, PEM. */
export interface NodeKeys {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** A GET unless said otherwise, with a body when one is given: that is how nodes send their certificate request. */
export function httpsGet(url: string, options: { ca?: string; cert?: string; key?: string; headers?: Record<string, string>; body?: Buffer; method?: string } = {}): Promise<HttpsAnswer> {
  const { body, headers, method = 'GET', ...tls } = options;
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method, agent: false, rejectUnauthorized: tls.ca !== undefined, ...tls,
      headers: { ...headers, ...(body ? { 'Content-Length': body.length } : {}) },
    }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A new key and a request for it, as an agent makes them. */
export async function newRequest(node: string, name = `system:node:${node}`): Promise<{ der: Buffer; key: string }> {
  const keys = (await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `C=CN, O=system:nodes, L=Hangzhou, ST=Zhejiang, CN=${name}`, keys: keys as never, signingAlgorithm: CURVE,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ type: 'sec1', format: 'pem' }).toString();
  return { der: Buffer.from(csr.rawData), key };
}

const pem = (der: Buffer): string => `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;

/** Joins with a token, the way an agent does. */
export async function enrol(https: string, token: string, node: string): Promise<NodeKeys> {
  const ca = pem((await httpsGet(`https://${https}/ca.crt`)).body);
  const { der, key } = await newRequest(node);
  const bearer = token.slice(token.indexOf('.') + 1);
  const answer = await httpsGet(`https://${https}/edge.crt`, { ca, body: der, headers: { NodeName: node, Authorization: `Bearer ${bearer}` } });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.toString()}`);
  return { ca, cert: pem(answer.body), key };
}

/** A scripted node: speaks the wire format, acknowledges by itself unless told not to, keeps all it received. */
export class EdgeClient {
  readonly received: Message[] = [];
  readonly node: string;
  acknowledge = true;
  closed: string | undefined;
  /** Called for every message that comes. */
  onMessage: (message: Message) => void = () => undefined;
  readonly #socket: WebSocket;
  #watchers: (() => void)[] = [];

  private constructor(node: string, socket: WebSocket) {
    this.node = node;
    this.#socket = socket;
    socket.on('message', (data) => {
      const message = decodeMessage(String(data));
      this.received.push(message);
      if (this.acknowledge && message.route.operation !== 'response') this.ack(message);
      this.onMessage(message);
      this.#notify();
    });
    socket.on('close', (_code, reason) => {
      this.closed = reason.toString() || 'closed';
      this.#notify();
    });
    socket.on('error', () => undefined);
  }

  static connect(hub: string, keys: NodeKeys, node: string, headers: Record<string, string> = {}): Promise<EdgeClient> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://${hub}/e632aba927ea4ac2b575ec1603d56f10/${node}/events`, {
        ca: keys.ca, cert: keys.cert, key: keys.key, perMessageDeflate: false,
        headers: { node_id: node, project_id: 'e632aba927ea4ac2b575ec1603d56f10', ConnectionUse: 'msg', ...headers },
      });
      const client = new EdgeClient(node, socket);
      socket.once('open', () => {
        client.keepalive();
        resolve(client);
      });
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => reject(new Error(`${response.statusCode} ${Buffer.concat(chunks).toString().trim()}`)));
      });
      socket.once('error', reject);
    });
  }

  send(parts: NewMessage): Message {
    const message = createMessage(parts);
    this.#socket.send(encodeMessage(message));
    return message;
  }

  sendRaw(data: string | Buffer): void {
    this.#socket.send(data);
  }

  keepalive(): void {
    this.send({ source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node', content: 'ping' });
  }

  ack(message: Message): void {
    this.send({ ...message.route, operation: 'response', parentId: message.header.id, content: 'OK' });
  }

  /** Sends a request of edged and waits for the answer, acknowledged as metamanager does it. */
  async ask(operation: string, resource: string, content: unknown = null): Promise<Message> {
    const question = this.send({ source: 'edged', group: 'meta', operation, resource, content });
    const answer = await this.waitFor((m) => m.header.parentId === question.header.id);
    if (operation === 'query') this.ack(answer);
    return answer;
  }

  /** The first message, received already or later, that fits. */
  async waitFor(fits: (message: Message) => boolean, milliseconds = 60_000): Promise<Message> {
    let found: Message | undefined;
    await this.until(() => (found = this.received.find(fits)) !== undefined, milliseconds);
    return found as Message;
  }

  waitForPush(operation: string, resource: string, milliseconds?: number): Promise<Message> {
    return this.waitFor((m) => m.header.parentId === undefined && m.route.operation === operation && m.route.resource === resource, milliseconds);
  }

  async until(fits: () => boolean, milliseconds = 60_000): Promise<void> {
    const end = Date.now() + milliseconds;
    while (!fits()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`waited ${milliseconds} ms in vain; received: ${this.received.map((m) => `${m.route.operation} ${m.route.resource}`).join(', ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 50));
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.#socket.terminate();
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}
