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
  readonly message: LocalMessage;
  readonly qos: 1 | 2;
  /** PUBREC came: only the id counts any more. */
  released: boolean;
}

/** Sent and not acknowledged, at most. Clients that read well are never near it. */
const IN_FLIGHT = 10_000;

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
  readonly #inFlight = new Map<number, Pending>();
  readonly #queue: Pending[] = [];
  #outlet: Outlet | undefined;
  #nextId = 0;

  /** @param of.queueSize messages of QoS 1 and 2 that wait, at most */
  constructor(of: { id: string; user: string; clean: boolean; queueSize: number }) {
    this.id = of.id;
    this.user = of.user;
    this.clean = of.clean;
    this.#queueSize = of.queueSize;
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
    this.#outlet = outlet;
    for (const [id, { message, qos, released }] of this.#inFlight) {
      outlet.write(released ? ack('pubrel', id) : publish(message.topic, message.payload, qos, id, message.retained, true));
    }
    this.flow();
  }

  /** The client is gone, unless another connection of it has taken over. */
  detach(outlet: Outlet): void {
    if (this.#outlet === outlet) this.#outlet = undefined;
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
    // What waits for long must not hold on to everything else that its client sent at that moment.
    const kept = outlet === undefined ? { ...message, payload: Buffer.from(message.payload) } : message;
    const pending: Pending = { message: kept, qos, released: false };
    if (outlet !== undefined && this.#queue.length === 0 && !outlet.congested && this.#inFlight.size < IN_FLIGHT) {
      this.#send(outlet, pending);
      return;
    }
    this.#queue.push(pending);
    if (this.#queue.length <= this.#queueSize) return;
    if (outlet !== undefined) {
      outlet.cut(`it reads too slowly: more than ${this.#queueSize} messages wait for it`);
      return;
    }
    this.#queue.shift();
    this.dropped += 1;
  }

  /** PUBACK, PUBREC or PUBCOMP of the client. */
  acknowledged(kind: 'puback' | 'pubrec' | 'pubcomp', id: number): void {
    const pending = this.#inFlight.get(id);
    if (kind === 'pubrec') {
      // An id that nobody knows is released as well, or the client would keep its message for ever.
      if (pending?.qos === 2) pending.released = true;
      this.#outlet?.write(ack('pubrel', id));
      return;
    }
    if (pending === undefined || (pending.qos === 1) !== (kind === 'puback')) return;
    this.#inFlight.delete(id);
    this.flow();
  }

  /** Sends what waits as long as the client keeps up. */
  flow(): void {
    const outlet = this.#outlet;
    while (outlet !== undefined && this.#queue.length > 0 && !outlet.congested && this.#inFlight.size < IN_FLIGHT) {
      this.#send(outlet, this.#queue.shift() as Pending);
    }
  }

  #send(outlet: Outlet, pending: Pending): void {
    do this.#nextId = (this.#nextId % 65_535) + 1;
    while (this.#inFlight.has(this.#nextId));
    this.#inFlight.set(this.#nextId, pending);
    const { message, qos } = pending;
    outlet.write(publish(message.topic, message.payload, qos, this.#nextId, message.retained, false));
  }
}
