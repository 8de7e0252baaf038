import { Complaints, type Logger } from '@edge/core';
import type { MqttLink } from './mqtt-link.js';
import { PublishQueue, type Outgoing } from './publish-queue.js';

/** Published and not acknowledged, at most. */
const IN_FLIGHT = 200;
/** A broker that acknowledges nothing for so long is left. */
const NO_ACK_MS = 120_000;

/** Messages for the broker: they wait while it is away, and those it has not acknowledged go again, in order. */
export class Publisher {
  readonly #queue: PublishQueue;
  readonly #onSent: (message: Outgoing) => void;
  readonly #log: Logger;
  readonly #said = new Complaints();
  readonly #inFlight = new Set<Outgoing>();
  #link: MqttLink | undefined;
  #silence: NodeJS.Timeout | undefined;
  #reported = 0;

  /** @param onSent called for each message at the moment it is written */
  constructor(deps: { limit: number; onSent: (message: Outgoing) => void; log: Logger }) {
    this.#queue = new PublishQueue(deps.limit);
    this.#onSent = deps.onSent;
    this.#log = deps.log;
  }

  put(message: Outgoing): void {
    this.#queue.push(message);
    if (this.#queue.dropped > this.#reported && this.#said.passes('dropped')) {
      this.#reported = this.#queue.dropped;
      this.#log.warn('the MQTT broker is away and too many messages wait for it, the oldest are dropped', { dropped: this.#reported, setting: 'edge.eventBus.maxWaitingMessages' });
    }
    this.#flow();
  }

  /** A new connection. */
  use(link: MqttLink): void {
    this.#link = link;
    this.#flow();
  }

  /** The connection is gone; what it did not bring home waits for the next one. */
  release(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#link = undefined;
    this.#queue.putBack(this.#inFlight);
    this.#inFlight.clear();
  }

  #flow(): void {
    const link = this.#link;
    if (link === undefined) return;
    while (this.#inFlight.size < IN_FLIGHT) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      this.#inFlight.add(message);
      this.#onSent(message);
      link.publish(message.topic, message.payload, () => {
        if (this.#link !== link) return;
        this.#inFlight.delete(message);
        if (this.#inFlight.size > 0) this.#silence?.refresh();
        else this.#quiet();
        this.#flow();
      });
    }
    if (this.#inFlight.size > 0) this.#silence ??= setTimeout(() => link.cut(`no acknowledgement for ${NO_ACK_MS / 1000} s`), NO_ACK_MS);
  }

  #quiet(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }
}
