import { ack, publish } from './encode.js';

/** A message on its way to subscribers. */
export interface LocalMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  /** Sent because it is retained, not because it was published just now. */
  readonly retained: boolean;
}

/** Where a session writes while its client is there. */
export interface Outlet {
  write(bytes: Buffer): void;
  /** True when the client reads too slowly: what can wait should. */
  readonly congested: boolean;
  /** Ends the connection. */
  cut(why: string): void;
}

interface Pending {
  /** Undefined: PUBREC came, only the id counts any more. */
  message: LocalMessage | undefined;
  readonly qos: 1 | 2;
}

/** What all sessions hold whose clients are away. */
export interface Room {
  bytes: number;
}

/** Sent and not acknowledged, at most. Clients that read well are never near it. */
const IN_FLIGHT = 10_000;
const MIB = 1024 * 1024;
const IN_FLIGHT_BYTES = 16 * MIB;
/** Waiting and in flight together, for a client that is there; for one that is away half of it, so that it is not over the limit when it comes back. */
const MAX_BYTES = 64 * MIB;
const MAX_AWAY_BYTES = 32 * MIB;
/** Retained messages, apart: they come all at once, and the client cannot have read any of them before. */
const MAX_RETAINED_BYTES = 128 * MIB;
/** Of a message besides topic and payload. */
const OVERHEAD = 256;
/** From here on it is not soon over, and a payload is copied. */
const LONG = 256;

/** What a broker remembers of one client: messages on their way, both ways. It outlives connections unless the client wants it clean. */
export class Session {
  readonly id: string;
  /** Whose it is: what this user may read lies in it, so nobody else gets it. */
  readonly user: string;
  readonly clean: boolean;
  /** Messages of QoS 2 that the client has published and not released, each with its acceptance. */
  readonly incoming = new Map<number, Promise<void>>();
  /** Of those, the ones that subscribers have and the agent has not: they must not be handed out twice. */
  readonly handedOut = new Set<number>();
  /** Messages that this client never gets. */
  dropped = 0;
  readonly #queueSize: number;
  readonly #room: Room;
  readonly #inFlight = new Map<number, Pending>();
  readonly #queue: Pending[] = [];
  /** In the queue and not retained. */
  #waiting = 0;
  /** Waiting and in flight. */
  readonly #bytes = { published: 0, retained: 0 };
  #inFlightBytes = 0;
  #outlet: Outlet | undefined;
  #nextId = 0;

  /**
   * @param of.queueSize messages of QoS 1 and 2 that wait, at most
   * @param of.room what this session holds is counted there while its client is away
   */
  constructor(of: { id: string; user: string; clean: boolean; queueSize: number; room: Room }) {
    this.id = of.id;
    this.user = of.user;
    this.clean = of.clean;
    this.#queueSize = of.queueSize;
    this.#room = of.room;
  }

  get online(): boolean {
    return this.#outlet !== undefined;
  }

  /** Messages that wait for this client. */
  get backlog(): number {
    return this.#inFlight.size + this.#queue.length;
  }

  /** The client is there: what it has not acknowledged goes again, in order, then what waits. */
  attach(outlet: Outlet): void {
    if (this.#outlet === undefined) this.#room.bytes -= this.#held;
    this.#outlet = outlet;
    for (const [id, { message, qos }] of this.#inFlight) {
      outlet.write(message === undefined ? ack('pubrel', id) : publish(message.topic, message.payload, qos, id, message.retained, true));
    }
    this.flow();
  }

  /** The client is gone, unless another connection of it has taken over. */
  detach(outlet: Outlet): void {
    if (this.#outlet !== outlet) return;
    this.#outlet = undefined;
    this.#room.bytes += this.#held;
    this.#trim();
  }

  /** Forgets all messages. */
  clear(): void {
    if (this.#outlet === undefined) this.#room.bytes -= this.#held;
    this.#inFlight.clear();
    this.#queue.length = 0;
    this.#waiting = 0;
    this.#inFlightBytes = 0;
    this.#bytes.published = 0;
    this.#bytes.retained = 0;
  }

  /** @param encoded the packet for QoS 0, shared by all receivers */
  deliver(message: LocalMessage, granted: 0 | 1 | 2, encoded: () => Buffer): void {
    const outlet = this.#outlet;
    const qos = Math.min(message.qos, granted) as 0 | 1 | 2;
    if (qos === 0) {
      if (outlet === undefined) return;
      if (outlet.congested) this.dropped += 1;
      else outlet.write(encoded());
      return;
    }
    const atOnce = outlet !== undefined && this.#queue.length === 0 && !outlet.congested && this.#mayFly;
    // What is kept for long must not hold on to everything else that its client sent at that moment. Retained ones are copies.
    const copied = !message.retained && (outlet === undefined || this.backlog >= LONG);
    const pending: Pending = { message: copied ? { ...message, payload: Buffer.from(message.payload) } : message, qos };
    this.#count(message, 1);
    if (atOnce) this.#send(outlet, pending);
    else {
      this.#queue.push(pending);
      if (!message.retained) this.#waiting += 1;
    }
    if (outlet === undefined) this.#trim();
    else this.#check(outlet);
  }

  /** PUBACK, PUBREC or PUBCOMP of the client. */
  acknowledged(kind: 'puback' | 'pubrec' | 'pubcomp', id: number): void {
    const pending = this.#inFlight.get(id);
    if (kind === 'pubrec') {
      // An id that nobody knows is released as well, or the client would keep its message for ever.
      if (pending?.qos === 2) {
        this.#landed(pending);
        pending.message = undefined;
      }
      this.#outlet?.write(ack('pubrel', id));
      return;
    }
    if (pending === undefined || (pending.qos === 1) !== (kind === 'puback')) return;
    this.#landed(pending);
    this.#inFlight.delete(id);
    this.flow();
  }

  /** Sends what waits as long as the client keeps up. */
  flow(): void {
    const outlet = this.#outlet;
    while (outlet !== undefined && this.#queue.length > 0 && !outlet.congested && this.#mayFly) {
      this.#send(outlet, this.#take());
    }
  }

  /** Lets go of a client that does not keep up. The retained messages of a subscription do not count as waiting: it has asked for all of them at once. */
  #check(outlet: Outlet): void {
    if (this.#waiting > this.#queueSize) outlet.cut(`it reads too slowly: more than ${this.#queueSize} messages wait for it`);
    else if (this.#over('published', MAX_BYTES)) outlet.cut(`it acknowledges too slowly: more than ${MAX_BYTES / MIB} MiB wait for it`);
    else if (this.#over('retained', MAX_RETAINED_BYTES)) outlet.cut(`it asks for retained messages of more than ${MAX_RETAINED_BYTES / MIB} MiB at a time`);
  }

  /** For one that is away the oldest go. */
  #trim(): void {
    while (this.#waiting > 0 && (this.#waiting > this.#queueSize || this.#over('published', MAX_AWAY_BYTES))) {
      const { message } = this.#take(this.#queue.findIndex((pending) => pending.message?.retained === false));
      if (message !== undefined) this.#count(message, -1);
      this.dropped += 1;
    }
  }

  /** A single message may be of any size that comes in. */
  #over(which: 'published' | 'retained', limit: number): boolean {
    return this.#bytes[which] > limit && this.backlog > 1;
  }

  #count(message: LocalMessage, sign: 1 | -1): void {
    const bytes = sign * sizeOf(message);
    this.#bytes[message.retained ? 'retained' : 'published'] += bytes;
    if (this.#outlet === undefined) this.#room.bytes += bytes;
  }

  get #held(): number {
    return this.#bytes.published + this.#bytes.retained;
  }

  #take(at = 0): Pending {
    const pending = (at === 0 ? this.#queue.shift() : this.#queue.splice(at, 1)[0]) as Pending;
    if (pending.message?.retained === false) this.#waiting -= 1;
    return pending;
  }

  get #mayFly(): boolean {
    return this.#inFlight.size < IN_FLIGHT && this.#inFlightBytes < IN_FLIGHT_BYTES;
  }

  #landed({ message }: Pending): void {
    if (message === undefined) return;
    this.#count(message, -1);
    this.#inFlightBytes -= sizeOf(message);
  }

  #send(outlet: Outlet, pending: Pending): void {
    do this.#nextId = (this.#nextId % 65_535) + 1;
    while (this.#inFlight.has(this.#nextId));
    this.#inFlight.set(this.#nextId, pending);
    const { message, qos } = pending;
    if (message === undefined) return;
    this.#inFlightBytes += sizeOf(message);
    outlet.write(publish(message.topic, message.payload, qos, this.#nextId, message.retained, false));
  }
}

function sizeOf({ topic, payload }: LocalMessage): number {
  return topic.length + payload.length + OVERHEAD;
}
