import type { Duplex } from 'node:stream';
import { Complaints, errorText, type LogFields, type Logger } from '@edge/core';
import type { EmbeddedConfig } from '../config.js';
import type { Incoming } from '../incoming.js';
import { TopicTree } from '../topic-tree.js';
import { isFilter, isTopic } from '../topics.js';
import type { Access } from './access.js';
import { Connection, type Peer } from './connection.js';
import { Filters } from './filters.js';
import { publish, Refusal, type RefusalCode } from './encode.js';
import type { ConnectPacket } from './parser.js';
import { Retained } from './retained.js';
import { Session, type LocalMessage, type Room } from './session.js';

/** Sessions of clients that are away; the one that is away for longest goes first. */
const MAX_AWAY = 1000;
/** What waits in all of them. */
const MAX_AWAY_BYTES = 256 * 1024 * 1024;

interface Subscription {
  readonly session: Session;
  qos: 0 | 1 | 2;
}

/** Whether a client may come in. */
export type Verdict = { readonly clientId: string; readonly user: string } | { readonly refused: RefusalCode; readonly why: string };

/** The broker in here: who is there, who wants what, and the ways between them. Sessions and retained messages are in memory. */
export class Broker {
  readonly config: EmbeddedConfig;
  readonly #incoming: Incoming;
  readonly #log: Logger;
  readonly #said = new Complaints();
  readonly #seen = new Complaints(60_000);
  readonly #connections = new Set<Connection>();
  readonly #sessions = new Map<string, Session>();
  readonly #owners = new Map<Session, Connection>();
  readonly #tree = new TopicTree<Subscription>();
  readonly #bySession = new Map<Session, Filters<Subscription>>();
  readonly #retained = new Retained();
  readonly #away: Room = { bytes: 0 };
  #access: Access;
  #made = 0;
  #closing = false;

  constructor(deps: { config: EmbeddedConfig; incoming: Incoming; access: Access; log: Logger }) {
    this.config = deps.config;
    this.#incoming = deps.incoming;
    this.#access = deps.access;
    this.#log = deps.log;
  }

  /** True while all connections are ended because the agent stops. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Who may do what from now on. */
  set access(access: Access) {
    this.#access = access;
  }

  /** A connection has come in. */
  accept(stream: Duplex, peer: Peer): void {
    if (this.#connections.size >= this.config.maxClients) {
      stream.on('error', () => undefined);
      stream.destroy();
      if (this.#said.passes('full')) this.#log.warn('MQTT clients are turned away, the limit is reached', { limit: this.config.maxClients, setting: 'edge.eventBus.maxClients' });
      return;
    }
    this.#connections.add(new Connection(stream, peer, this));
  }

  async admit(packet: ConnectPacket, peer: Peer): Promise<Verdict> {
    if (packet.protocolVersion !== 3 && packet.protocolVersion !== 4) {
      return { refused: Refusal.protocol, why: `speaks MQTT version ${packet.protocolVersion ?? 0}; 3.1 and 3.1.1 are spoken here` };
    }
    if (packet.clientId === '' && packet.clean === false) return { refused: Refusal.clientId, why: 'wants a session that lasts and gives no client id' };
    const user = await this.#access.login(packet.username, packet.password?.toString(), peer.certificateName);
    if (user === undefined) return { refused: packet.username === undefined ? Refusal.notAuthorized : Refusal.badLogin, why: `user name or password is wrong (user ${JSON.stringify(packet.username ?? '')})` };
    this.#made += 1;
    return { clientId: packet.clientId === '' ? `edge-${this.#made}-${Date.now().toString(36)}` : packet.clientId, user };
  }

  /** Gives the connection its session; another one under the same name ends. */
  join(connection: Connection, clean: boolean): { session: Session; present: boolean } {
    const { clientId, user } = connection;
    const old = this.#sessions.get(clientId);
    if (old !== undefined) this.#owners.get(old)?.cut('another client has come under the same name');
    const kept = old !== undefined && !old.clean && !clean && old.user === user ? old : undefined;
    if (old !== undefined && kept === undefined) this.#forget(old);
    const session = kept ?? new Session({ id: clientId, user, clean, queueSize: this.config.sessionQueueSize, room: this.#away });
    this.#sessions.set(clientId, session);
    this.#owners.set(session, connection);
    this.#tell('an MQTT client has come', clientId, { from: connection.peer.address, ...(user === '' ? {} : { user }) });
    return { session, present: kept !== undefined };
  }

  left(connection: Connection, why: string): void {
    this.#connections.delete(connection);
    const { session, peer } = connection;
    if (session === undefined) {
      if (this.#said.passes(`out ${hostOf(peer)} ${sortOf(why)}`)) this.#log.warn('an MQTT client was not let in', { from: peer.address, why });
      return;
    }
    session.detach(connection.line);
    this.#tell('an MQTT client has gone', connection.clientId, { why, ...(session.dropped > 0 ? { dropped: session.dropped } : {}) });
    if (this.#owners.get(session) !== connection) return;
    this.#owners.delete(session);
    if (session.clean) this.#forget(session);
    else {
      // Put in anew, so that those who are away stand in the order of leaving.
      this.#sessions.delete(session.id);
      this.#sessions.set(session.id, session);
      this.#limitAway();
    }
  }

  /**
   * A client publishes. Subscribers get it, and the agent when it listens.
   * @param again subscribers have it already
   * @returns when the client may be told that it is taken; undefined: at once
   */
  publish(message: LocalMessage & { readonly retain: boolean }, from: Connection, again = false): Promise<void> | undefined {
    if (!this.#access.mayPublish(from, message.topic)) {
      if (this.#said.passes(`publish ${from.clientId}`)) {
        this.#log.warn('a client may not publish there, its message is dropped', { client: from.clientId, user: from.user, topic: message.topic.slice(0, 200) });
      }
      return undefined;
    }
    if (!this.#incoming.admits(message.topic, from.clientId)) return undefined;
    if (!again) this.#spread(message);
    return this.#incoming.take(message);
  }

  /** The agent publishes. It does not hear itself. */
  publishOwn(topic: string, payload: Buffer): void {
    const { qos, retain } = this.config;
    this.#spread({ topic, payload, qos, retain, retained: false });
  }

  /** False when it is not granted. */
  subscribe(connection: Connection, session: Session, filter: string, qos: 0 | 1 | 2): boolean {
    if (!isFilter(filter) || !this.#access.maySubscribe(connection, filter)) {
      if (this.#said.passes(`subscribe ${connection.clientId}`)) {
        this.#log.warn('a client may not subscribe to that', { client: connection.clientId, user: connection.user, topic: filter.slice(0, 200) });
      }
      return false;
    }
    const filters = this.#bySession.get(session) ?? new Filters<Subscription>();
    this.#bySession.set(session, filters);
    const known = filters.get(filter);
    if (known !== undefined) {
      known.qos = qos;
      return true;
    }
    const subscription: Subscription = { session, qos };
    if (!filters.add(filter, subscription)) {
      if (this.#said.passes(`filters ${connection.clientId}`)) this.#log.warn('a client has too many subscriptions, no more are granted', { client: connection.clientId, topic: filter.slice(0, 200) });
      return false;
    }
    this.#tree.add(filter, subscription);
    return true;
  }

  unsubscribe(session: Session, filter: string): void {
    const subscription = this.#bySession.get(session)?.get(filter);
    if (subscription === undefined) return;
    this.#bySession.get(session)?.delete(filter);
    this.#tree.remove(filter, subscription);
  }

  sendRetained(session: Session, filter: string, qos: 0 | 1 | 2): void {
    for (const message of this.#retained.matching(filter)) {
      // It had to be let go meanwhile.
      if (!session.online) return;
      session.deliver(message, qos, () => publish(message.topic, message.payload, 0, 0, true, false));
    }
  }

  willLost(connection: Connection, error: unknown): void {
    this.#log.warn('the last will of a client was not taken', { client: connection.clientId, err: errorText(error) });
  }

  /** Ends all connections. */
  close(why: string): void {
    this.#closing = true;
    for (const connection of [...this.#connections]) connection.cut(why);
  }

  #spread(message: LocalMessage & { readonly retain: boolean }): void {
    const { topic, payload } = message;
    if (message.retain && isTopic(topic) && !this.#retained.put(message) && this.#said.passes('retained')) {
      this.#log.warn('there is no room for more retained messages, this one is not kept', { topic: topic.slice(0, 200) });
    }
    let encoded: Buffer | undefined;
    const shared = (): Buffer => (encoded ??= publish(topic, payload, 0, 0, false, false));
    let first: Subscription | undefined;
    let more: Map<Session, 0 | 1 | 2> | undefined;
    this.#tree.match(topic, (subscription) => {
      if (first === undefined) {
        first = subscription;
        return;
      }
      more ??= new Map([[first.session, first.qos]]);
      // Once for each client, with the best quality that it has asked for.
      const qos = more.get(subscription.session) ?? 0;
      more.set(subscription.session, Math.max(qos, subscription.qos) as 0 | 1 | 2);
    });
    if (more !== undefined) for (const [session, qos] of more) session.deliver(message, qos, shared);
    else if (first !== undefined) (first as Subscription).session.deliver(message, (first as Subscription).qos, shared);
    if (this.#away.bytes > MAX_AWAY_BYTES) this.#limitAway();
  }

  /** Comings and goings of one client are said once a minute at most. */
  #tell(what: string, client: string, fields: LogFields): void {
    if (this.#seen.passes(`${what} ${client}`)) this.#log.info(what, { client, ...fields });
    else this.#log.verbose(2, what, { client, ...fields });
  }

  #forget(session: Session): void {
    for (const [filter, subscription] of this.#bySession.get(session)?.entries() ?? []) this.#tree.remove(filter, subscription);
    this.#bySession.delete(session);
    session.clear();
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }

  #limitAway(): void {
    const away = [...this.#sessions.values()].filter((session) => !session.online);
    for (const [at, oldest] of away.entries()) {
      if (away.length - at <= MAX_AWAY && this.#away.bytes <= MAX_AWAY_BYTES) return;
      this.#log.warn('the session of a client that is away for long is forgotten', { client: oldest.id, backlog: oldest.backlog });
      this.#forget(oldest);
    }
  }
}

/** The address without its port, which is another one each time. */
function hostOf({ address }: Peer): string {
  return address.replace(/:\d+$/, '');
}

/** A reason without what the client has put into it. */
function sortOf(why: string): string {
  return why.replace(/".*"|\d+/gs, '');
}
