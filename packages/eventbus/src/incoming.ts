import { isUtf8 } from 'node:buffer';
import { Complaints, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, Operations, Sources, topicResource, type Message } from '@edge/protocol';
import { Pipe } from './pipe.js';
import type { Subscriptions } from './subscriptions.js';
import { destinationOf } from './topics.js';

/** A message that somebody has published. */
export interface Arrival {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
}

/** The way from MQTT into the agent: to the device twin, or up to the cloud. */
export class Incoming implements Disposable {
  readonly #subscriptions: Subscriptions;
  readonly #log: Logger;
  readonly #said = new Complaints();
  readonly #stop = new AbortController();
  readonly #twin: Pipe;
  readonly #cloud: Pipe;

  constructor(deps: { bus: MessageBus; subscriptions: Subscriptions; log: Logger }) {
    this.#subscriptions = deps.subscriptions;
    this.#log = deps.log;
    const shared = { bus: deps.bus, log: deps.log, said: this.#said, signal: this.#stop.signal };
    // Two pipes, so that a full outbox holds up no twin.
    this.#twin = new Pipe({ ...shared, group: Groups.twin });
    this.#cloud = new Pipe({ ...shared, group: Groups.hub });
  }

  /** False for what only the cloud may say; said in the log, seldom. */
  admits(topic: string, from: string): boolean {
    if (destinationOf(topic) !== 'refused') return true;
    if (this.#said.passes(`forged ${from}`)) {
      this.#log.warn('a client says that the cloud has changed a twin; only the cloud says that, it is refused', { client: from, topic: topic.slice(0, 200) });
    }
    return false;
  }

  /**
   * Undefined when the message is not for the agent. Else resolves when its sender may be told that it is taken: with QoS 1 and 2
   * after the answer of the twin or the outbox, with QoS 0 as soon as it is under way. Messages go in the order of the calls; the
   * next one does not wait for the answer of the one before.
   * @throws EdgeError `eventbus.not-taken` when it has to be sent again
   */
  take(arrival: Arrival): Promise<void> | undefined {
    const { topic, qos } = arrival;
    if (!this.#subscriptions.wants(topic)) return undefined;
    const pipe = destinationOf(topic) === 'twin' ? this.#twin : this.#cloud;
    return pipe.put(messageOf(arrival), qos > 0);
  }

  /** Gives up what waits for an answer: it was not taken. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

/** The envelope of an arrival. */
export function messageOf({ topic, payload }: Arrival): Message {
  const common = { source: Sources.bus, group: Groups.user };
  if (destinationOf(topic) === 'twin') {
    return createMessage({ ...common, operation: Operations.response, resource: topicResource(topic), content: payload.toString() });
  }
  // JSON holds no bytes, and the cloud hands the text on as it is. Base64 is what its own language makes of bytes there.
  return createMessage({ ...common, operation: Operations.upload, resource: topic, content: isUtf8(payload) ? payload.toString() : payload.toString('base64') });
}
