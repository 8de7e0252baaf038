import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorText, type Logger } from '@edge/core';
import { CLUSTER_SCOPE, type Message, Operations, parseResource, resourceType, ResourceTypes, Sources } from '@edge/protocol';
import { refuseUpgrade } from '@edge/tunnel';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Pki } from '../ca/authority.js';
import { listen, type ListenAddress } from '../net.js';
import type { RetryPolicy } from './ack-sender.js';
import { compareVersions, needsAck, objectOf, queueKey } from './delivery.js';
import type { Receiver } from './dispatch.js';
import { judgeHandshake } from './handshake.js';
import { type CurrentObject, planResync } from './resync.js';
import { Session } from './session.js';
import type { SyncRecord, SyncRecords } from './sync-records.js';

/** What a caller may know of a session. */
export interface SessionInfo {
  readonly node: string;
  readonly since: number;
  readonly received: number;
  readonly refused: number;
  readonly unacknowledged: number;
}

export interface CloudHubDeps {
  readonly pki: Pki;
  readonly records: SyncRecords;
  /** The object of a record as it is now. */
  readonly find: (record: SyncRecord) => CurrentObject | undefined;
  /** Handles a message from a node; what it gives is sent back. A failure is logged and the message dropped. */
  readonly handle: (node: string, message: Message, receiver: Receiver) => Promise<Message | undefined>;
  readonly onConnected: (node: string) => void;
  /** Called whenever a connected node has been compared with its records; pushes what it should hold and has no record of. */
  readonly complete?: (node: string) => void;
  readonly log: Logger;
  readonly config: CloudHubConfig;
}

export interface CloudHubConfig {
  readonly keepaliveMs: number;
  readonly nodeLimit: number;
  readonly authorize: boolean;
  readonly resyncIntervalMs: number;
  readonly retry: RetryPolicy;
  /** Bytes that one message from a node may have. */
  readonly maxMessageBytes: number;
}

/** CloudHub: the nodes' links, what goes down them and what is known to have arrived. */
export class CloudHub {
  readonly #deps: CloudHubDeps;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #sessions = new Map<string, Session>();
  #ticker: NodeJS.Timeout | undefined;

  constructor(deps: CloudHubDeps) {
    this.#deps = deps;
    const { server, authority } = deps.pki;
    this.#server = createServer({
      cert: server.certificatePem, key: server.privateKeyPem, ca: authority.certificatePem, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2',
    }, (_request, response) => response.writeHead(426).end('this port speaks WebSocket'));
    this.#server.headersTimeout = 30_000;
    this.#server.on('tlsClientError', (error) => deps.log.verbose(1, 'a TLS handshake failed', { err: error.message }));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    this.#sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: deps.config.maxMessageBytes });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Opens the port and begins to reconcile. Resolves with the port. */
  async listen(address: ListenAddress): Promise<number> {
    const port = await listen(this.#server, address, 'the nodes\' links (WebSocket)');
    this.#ticker = setInterval(() => this.#resyncAll(), this.#deps.config.resyncIntervalMs);
    return port;
  }

  get sessions(): SessionInfo[] {
    return [...this.#sessions.values()].map((session) => ({ node: session.node, since: session.since, ...session.statistics }));
  }

  isConnected(node: string): boolean {
    return this.#sessions.has(node);
  }

  /** Ends a node's session. False: it had none. */
  dropSession(node: string, reason = 'dropped by the operator'): boolean {
    const session = this.#sessions.get(node);
    session?.end(reason);
    return session !== undefined;
  }

  /** Forgets what a node holds and ends its session: its Node object is gone. */
  forgetNode(node: string): void {
    this.#deps.records.removeNode(node);
    this.dropSession(node, 'the node was deleted');
  }

  /**
   * Sends a message to a node. What needs an acknowledgement is recorded first, so that a node that is away gets it
   * when it comes back; everything else reaches only a connected node.
   */
  push(node: string, message: Message): boolean {
    if (needsAck(message) && !this.#admit(node, message)) return false;
    return this.#sessions.get(node)?.push(message) ?? false;
  }

  /**
   * Sends a node an object of a collection that it listens to. What it holds for other reasons too keeps its record and is not sent
   * twice; all else is not recorded: a node that was away reads its collections again.
   */
  pushFollowed(node: string, message: Message): boolean {
    const uid = objectOf(message)?.metadata.uid;
    if (uid !== undefined && this.hasRecord(node, uid)) return this.push(node, message);
    return this.#sessions.get(node)?.push(message) ?? false;
  }

  /** Whether a node was ever told of an object, and has not acknowledged its end. */
  hasRecord(node: string, uid: string): boolean {
    return this.#deps.records.get(node, uid) !== undefined;
  }

  /** Forgets what a node was told of an object; for nodes that have never been there. */
  forgetObject(node: string, uid: string): void {
    this.#deps.records.remove(node, uid);
  }

  /** The node is known to hold `version` because it wrote the step from `before` itself. */
  noteOwnWrite(node: string, uid: string, before: string, version: string): void {
    const record = this.#deps.records.get(node, uid);
    // A record behind `before` means that somebody else's change is still to be sent.
    if (record && compareVersions(record.version, before) >= 0 && compareVersions(version, record.version) > 0) {
      this.#deps.records.put({ ...record, version });
    }
  }

  /** Sends a node the objects of some kinds as they are now, acknowledged before or not. */
  sendAgain(node: string, kinds: readonly string[]): void {
    const held = this.#deps.records.of(node).filter((record) => kinds.includes(record.kind));
    const forgotten = held.map((record) => ({ ...record, version: '0' }));
    for (const message of planResync(forgotten, this.#deps.find)) this.#sessions.get(node)?.push(message);
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker);
    for (const session of this.#sessions.values()) session.end('the cloud is shutting down');
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.clients) setTimeout(() => socket.terminate(), 200);
    this.#server.closeIdleConnections();
    await closed;
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { log, config } = this.#deps;
    socket.on('error', () => socket.destroy());
    const verdict = judgeHandshake(request, {
      authorize: config.authorize, nodeLimit: config.nodeLimit, others: (node) => this.#sessions.size - (this.#sessions.has(node) ? 1 : 0),
    });
    if ('status' in verdict) {
      log.warn('refused a link', { reason: verdict.text });
      refuseUpgrade(socket, verdict.status, verdict.text);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#accept(verdict.node, client));
  }

  #accept(node: string, socket: WebSocket): void {
    const { log, config } = this.#deps;
    this.#sessions.get(node)?.end('the node connected again');
    const session: Session = new Session({
      node, socket, keepaliveMs: config.keepaliveMs, retry: config.retry, log,
      onMessage: (message, receiver) => this.#handle(session, message, receiver),
      onAcknowledged: (message) => this.#acknowledged(node, message),
      onEnd: (ended, reason) => {
        if (this.#sessions.get(node) === ended) this.#sessions.delete(node);
        log.info('a link ended', { node, reason });
      },
    });
    this.#sessions.set(node, session);
    log.info('a node connected', { node });
    session.start();
    this.#deps.onConnected(node);
    this.#resync(node);
  }

  async #handle(session: Session, message: Message, receiver: Receiver): Promise<void> {
    const { handle, log } = this.#deps;
    try {
      const answer = await handle(session.node, message, receiver);
      if (answer) session.push(answer);
    } catch (error) {
      log.warn('a message from a node could not be handled', {
        node: session.node, operation: message.route.operation, resource: message.route.resource.slice(0, 200), err: errorText(error),
      });
    }
  }

  /** Whether a message that needs an acknowledgement tells the node something new; records an object's first sight. */
  #admit(node: string, message: Message): boolean {
    const { records } = this.#deps;
    if (queueKey(message) === undefined) return false;
    const { operation } = message.route;
    if (operation === Operations.response || operation === Operations.delete) return true;
    const record = recordOf(node, message, '0');
    if (!record) return false;
    const known = records.get(node, record.uid);
    if (!known) records.put(record);
    return compareVersions(message.header.resourceVersion, known?.version) > 0;
  }

  #acknowledged(node: string, message: Message): void {
    const { records } = this.#deps;
    const uid = objectOf(message)?.metadata.uid;
    if (uid === undefined) return;
    if (message.route.operation === Operations.delete) return records.remove(node, uid);
    const isFollowed = message.route.source === Sources.dynamicController && !this.hasRecord(node, uid);
    const record = isFollowed ? undefined : recordOf(node, message, message.header.resourceVersion ?? '0');
    if (record && compareVersions(record.version, records.get(node, uid)?.version ?? '-') > 0) records.put(record);
  }

  #resyncAll(): void {
    for (const node of this.#sessions.keys()) this.#resync(node);
  }

  #resync(node: string): void {
    const session = this.#sessions.get(node);
    for (const message of planResync(this.#deps.records.of(node), this.#deps.find)) {
      // A node is not told of its own end; its link is cut and it registers again when it wants to.
      if (message.route.operation === Operations.delete && resourceType(message.route.resource) === ResourceTypes.node) return this.forgetNode(node);
      session?.push(message);
    }
    this.#deps.complete?.(node);
  }
}

function recordOf(node: string, message: Message, version: string): SyncRecord | undefined {
  const object = objectOf(message);
  const { uid, name } = object?.metadata ?? {};
  if (!object || !uid || !name || !object.kind || !object.apiVersion) return undefined;
  const { namespace } = parseResource(message.route.resource);
  return { node, namespace: namespace === CLUSTER_SCOPE ? '' : namespace, uid, apiVersion: object.apiVersion, kind: object.kind, name, version };
}
