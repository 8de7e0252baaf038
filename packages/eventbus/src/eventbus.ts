import { token, type Life, type Logger, type MessageBus, type NodeIdentity, type Runnable, type Store, type Token } from '@edge/core';
import { createResponse, OK, type Message } from '@edge/protocol';
import type { EventBusConfig } from './config.js';
import { EmbeddedSide } from './embedded.js';
import { ExternalSide } from './external.js';
import { Incoming } from './incoming.js';
import type { Side } from './side.js';
import { Subscriptions } from './subscriptions.js';

/** MQTT in and out: a broker in here, one elsewhere, or both. */
export class EventBus implements Runnable {
  readonly #identity: NodeIdentity;
  readonly #subscriptions: Subscriptions;
  readonly #incoming: Incoming;
  readonly #sides: readonly Side[];

  constructor(deps: { config: EventBusConfig; bus: MessageBus; store: Store; identity: NodeIdentity; log: Logger }) {
    const { config, bus, store, identity } = deps;
    const log = deps.log.named('eventbus');
    const subscriptions = new Subscriptions({ store });
    const incoming = new Incoming({ bus, subscriptions, log });
    const { embedded, external } = config;
    this.#identity = identity;
    this.#subscriptions = subscriptions;
    this.#incoming = incoming;
    this.#sides = [
      ...(external === undefined ? [] : [new ExternalSide({ config: external, identity, incoming, subscriptions, deaf: embedded !== undefined, log })]),
      ...(embedded === undefined ? [] : [new EmbeddedSide({ config: embedded, incoming, log })]),
    ];
  }

  async run({ signal, ready }: Life): Promise<void> {
    using _incoming = this.#incoming;
    // Ready without any broker: the twin works on, and what it has to say waits.
    ready();
    await Promise.all(this.#sides.map((side) => side.run(signal)));
  }

  /** To all brokers. */
  publish(topic: string, payload: Buffer, message: Message): Message {
    for (const side of this.#sides) side.publish(topic, payload);
    return createResponse(message, OK);
  }

  publishResult(payload: Buffer, message: Message): Message {
    return this.publish(`$hw/events/node/${this.#identity.name}/authInfo/get/result`, payload, message);
  }

  /** On the disk first: a broker that is away must not lose the rule. */
  async subscribe(topic: string, message: Message): Promise<Message> {
    await this.#subscriptions.add(topic);
    for (const side of this.#sides) side.topicsChanged();
    return createResponse(message, OK);
  }

  async unsubscribe(topic: string, message: Message): Promise<Message> {
    const removed = this.#subscriptions.remove(topic);
    for (const side of this.#sides) side.topicsChanged();
    await removed;
    return createResponse(message, OK);
  }
}

export const EventBusEntry: Token<EventBus> = token<EventBus>('eventbus', 'EventBus');
