import { errorText, type Logger } from '@edge/core';
import { filterCovers } from '../topics.js';
import type { MqttLink } from './mqtt-link.js';

/** Topics that need a subscription of their own; those that another one takes in would make the broker send messages twice. */
export function widest(topics: readonly string[]): string[] {
  return topics.filter((topic, at) => !topics.some((other, otherAt) => otherAt !== at && filterCovers(other, topic) && (!filterCovers(topic, other) || otherAt < at)));
}

/** Keeps what the broker sends equal to what the agent wants, on each connection anew. */
export class Subscriber {
  readonly #topics: () => readonly string[];
  readonly #log: Logger;
  /** Subscribed by this run at any time: the broker remembers across connections, so what is not wanted any more is taken back. */
  readonly #ever = new Set<string>();
  #now = new Set<string>();
  #link: MqttLink | undefined;
  #busy = false;
  #again = false;

  constructor(deps: { topics: () => readonly string[]; log: Logger }) {
    this.#topics = deps.topics;
    this.#log = deps.log;
  }

  /** A new connection; resolves when everything is subscribed. */
  async use(link: MqttLink): Promise<void> {
    this.#link = link;
    this.#now = new Set();
    await this.#match(link);
  }

  /** The connection is gone. */
  release(): void {
    this.#link = undefined;
  }

  /** The list has changed. */
  changed(): void {
    const link = this.#link;
    if (link === undefined) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#match(link).catch((error: unknown) => link.cut(errorText(error)));
  }

  async #match(link: MqttLink): Promise<void> {
    this.#busy = true;
    try {
      do {
        this.#again = false;
        const wanted = widest(this.#topics());
        const missing = wanted.filter((topic) => !this.#now.has(topic));
        const refused = await link.subscribe(missing);
        if (refused.length > 0) this.#log.warn('the MQTT broker does not grant subscriptions', { topics: refused.join(' ') });
        for (const topic of missing) {
          this.#now.add(topic);
          this.#ever.add(topic);
        }
        const surplus = [...this.#ever].filter((topic) => !wanted.includes(topic));
        await link.unsubscribe(surplus);
        for (const topic of surplus) {
          this.#now.delete(topic);
          this.#ever.delete(topic);
        }
      } while (this.#again);
    } finally {
      this.#busy = false;
    }
  }
}
