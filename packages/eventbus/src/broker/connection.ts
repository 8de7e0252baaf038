import type { Duplex } from 'node:stream';
import { errorText, isAbort } from '@edge/core';
import { eventBusError } from '../errors.js';
import { isText, isTopic } from '../topics.js';
import { AckLine } from '../ack-line.js';
import type { Broker } from './broker.js';
import { ack, connack, NOT_GRANTED, PINGRESP, suback } from './encode.js';
import { Line } from './line.js';
import { packetReader, type ClientPacket, type ConnectPacket, type PublishPacket, type SubscribePacket, type UnsubscribePacket } from './parser.js';
import type { LocalMessage, Session } from './session.js';

/** Messages of one client that are under way into the agent; then it is read no further. */
const MAX_OPEN = 256;
const CONNECT_MS = 10_000;
/** A client whose message was not taken is let go after this pause, and sends it again when it is back. */
const NOT_TAKEN_MS = 1000;

/** Who is at the other end. */
export interface Peer {
  readonly address: string;
  /** Common name of its certificate, when it has shown one that counts. */
  readonly certificateName?: string;
}

/** One client, from its first byte to its last. */
export class Connection {
  readonly peer: Peer;
  readonly #broker: Broker;
  readonly #line: Line;
  readonly #acks: AckLine;
  readonly #waiting: ClientPacket[] = [];
  #admitting = false;
  #session: Session | undefined;
  #clientId = '';
  #user = '';
  #will: LocalMessage & { readonly retain: boolean } | undefined;
  #silence: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #open = 0;

  constructor(stream: Duplex, peer: Peer, broker: Broker) {
    this.peer = peer;
    this.#broker = broker;
    const reader = packetReader(broker.config.maxPacketBytes, (packet) => this.#receive(packet));
    this.#line = new Line(stream, {
      onData: (chunk) => reader.push(chunk),
      onFlow: () => this.#session?.flow(),
      onEnd: (why) => this.#ended(why),
    });
    this.#acks = new AckLine((bytes) => this.#line.write(bytes));
    this.#silence = setTimeout(() => this.cut('no CONNECT within 10 s'), CONNECT_MS);
  }

  get clientId(): string {
    return this.#clientId;
  }

  /** Name that it has logged in with; where nobody logs in its certificate's, else what it says. */
  get user(): string {
    return this.#user;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get line(): Line {
    return this.#line;
  }

  cut(why: string): void {
    this.#line.cut(why);
  }

  #receive(packet: ClientPacket): void {
    if (this.#line.ended) return;
    if (this.#admitting) {
      // Its password is being checked; what an eager client sends meanwhile has to wait.
      if (this.#waiting.push(packet) > MAX_OPEN) throw eventBusError('eventbus.bad-client', 'sends too much before it is let in');
      return;
    }
    if (this.#session === undefined) {
      if (packet.cmd !== 'connect') throw eventBusError('eventbus.bad-client', `begins with ${packet.cmd}, it must begin with CONNECT`);
      // A will is published when nobody is there any more who could be told.
      if (packet.will !== undefined && !isTopic(packet.will.topic)) throw eventBusError('eventbus.bad-client', `has a last will for ${JSON.stringify(packet.will.topic.slice(0, 100))}, which is no topic`);
      this.#admitting = true;
      this.#connect(packet).catch((error: unknown) => this.cut(`it cannot be let in: ${errorText(error)}`));
      return;
    }
    this.#silence.refresh();
    this.#handle(packet, this.#session);
  }

  async #connect(packet: ConnectPacket): Promise<void> {
    const verdict = await this.#broker.admit(packet, this.peer);
    if (this.#line.ended) return;
    this.#admitting = false;
    clearTimeout(this.#silence);
    if ('refused' in verdict) {
      this.#line.write(connack(verdict.refused, false));
      this.#line.finish(verdict.why);
      return;
    }
    this.#clientId = verdict.clientId;
    this.#user = verdict.user;
    const { session, present } = this.#broker.join(this, packet.clean !== false);
    this.#session = session;
    const { will } = packet;
    if (will !== undefined) {
      this.#will = { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos ?? 0, retain: will.retain === true, retained: false };
    }
    const keepAlive = packet.keepalive ?? 0;
    if (keepAlive > 0) this.#silence = setTimeout(() => this.#silent(keepAlive), keepAlive * 1500);
    this.#line.write(connack(0, present));
    session.attach(this.#line);
    try {
      for (const next of this.#waiting.splice(0)) this.#receive(next);
    } catch (error) {
      this.cut(errorText(error));
    }
  }

  #silent(keepAlive: number): void {
    // Whoever is not read cannot be heard.
    if (this.#line.held) this.#silence.refresh();
    else this.cut(`silent for ${keepAlive * 1.5} s`);
  }

  #handle(packet: ClientPacket, session: Session): void {
    switch (packet.cmd) {
      case 'publish':
        return this.#publish(packet, session);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return session.acknowledged(packet.cmd, packet.messageId);
      case 'pubrel':
        session.incoming.delete(packet.messageId);
        return this.#line.write(ack('pubcomp', packet.messageId));
      case 'subscribe':
        return this.#subscribe(packet, session);
      case 'unsubscribe':
        return this.#unsubscribe(packet, session);
      case 'pingreq':
        return this.#line.write(PINGRESP);
      case 'disconnect':
        this.#will = undefined;
        return this.cut('closed by the client');
      default:
        throw eventBusError('eventbus.bad-client', `sends a second ${packet.cmd}`);
    }
  }

  #publish({ topic, payload, qos, retain, messageId = 0 }: PublishPacket, session: Session): void {
    // Wildcards in a published topic are let through: upstream does, and its own test suite publishes such.
    if (!isText(topic)) throw eventBusError('eventbus.bad-client', 'publishes to an empty topic or one with a NUL');
    if (qos > 0 && messageId === 0) throw eventBusError('eventbus.bad-client', 'publishes with the packet id 0');
    const message = { topic, payload, qos, retain, retained: false };
    if (qos === 2) return this.#publishOnce(message, messageId, session);
    const taken = this.#broker.publish(message, this);
    if (taken !== undefined) this.#count(taken);
    if (qos === 0) return;
    const bytes = ack('puback', messageId);
    if (taken === undefined) this.#acks.add(bytes);
    else taken.then(this.#acks.reserve(bytes), (error: unknown) => this.#notTaken(error));
  }

  #publishOnce(message: LocalMessage & { readonly retain: boolean }, id: number, session: Session): void {
    let taken = session.incoming.get(id);
    if (taken === undefined) {
      taken = this.#broker.publish(message, this, session.handedOut.has(id)) ?? Promise.resolve();
      session.incoming.set(id, taken);
      this.#count(taken);
      taken.then(
        () => session.handedOut.delete(id),
        () => {
          session.incoming.delete(id);
          session.handedOut.add(id);
        },
      );
    }
    taken.then(this.#acks.reserve(ack('pubrec', id)), (error: unknown) => this.#notTaken(error));
  }

  /** Holds the client back while too much of it is under way. */
  #count(taken: Promise<void>): void {
    this.#open += 1;
    if (this.#open === MAX_OPEN) this.#line.pause();
    const done = (): void => {
      this.#open -= 1;
      if (this.#open === MAX_OPEN / 2) this.#line.resume();
    };
    taken.then(done, done);
  }

  /** No acknowledgement: the client sends it again after a reconnect, with all that came behind it, so that order holds. */
  #notTaken(error: unknown): void {
    if (this.#line.ended || this.#retry !== undefined || isAbort(error)) return;
    this.#retry = setTimeout(() => this.cut(`a message could not be taken, it has to be sent again: ${errorText(error)}`), NOT_TAKEN_MS);
  }

  #subscribe(packet: SubscribePacket, session: Session): void {
    const granted = packet.subscriptions.map(({ topic, qos }) => (this.#broker.subscribe(this, session, topic, qos) ? qos : NOT_GRANTED));
    this.#line.write(suback(packet.messageId ?? 0, granted));
    packet.subscriptions.forEach(({ topic, qos }, at) => {
      if (granted[at] !== NOT_GRANTED) this.#broker.sendRetained(session, topic, qos);
    });
  }

  #unsubscribe(packet: UnsubscribePacket, session: Session): void {
    for (const topic of packet.unsubscriptions) this.#broker.unsubscribe(session, topic);
    this.#line.write(ack('unsuback', packet.messageId ?? 0));
  }

  #ended(why: string): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    this.#broker.left(this, why);
    const will = this.#will;
    this.#will = undefined;
    // When the agent ends, nobody has vanished but the agent.
    if (will !== undefined && !this.#broker.closing) this.#broker.publish(will, this)?.catch((error: unknown) => this.#broker.willLost(this, error));
  }
}
