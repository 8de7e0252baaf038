import type { Store, Table } from '@edge/core';
import { subTopicsTable, type SubTopicRow } from '@edge/protocol';
import { eventBusError } from './errors.js';
import { isFilter, STATIC_TOPICS } from './topics.js';
import { TopicTree } from './topic-tree.js';

/** What the agent listens to: the static list and the topics that the cloud's rules have asked for. */
export class Subscriptions {
  readonly #store: Store;
  readonly #table: Table<SubTopicRow>;
  readonly #tree = new TopicTree<string>();
  readonly #stored = new Set<string>();

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#table = deps.store.table<SubTopicRow>(subTopicsTable);
    for (const topic of STATIC_TOPICS) this.#tree.add(topic, topic);
    for (const { topic } of this.#table.all()) this.#remember(topic);
  }

  /** All of them, the static ones first. */
  get topics(): readonly string[] {
    return [...STATIC_TOPICS, ...this.#stored];
  }

  /** True when a message to this topic is for the agent. */
  wants(topic: string): boolean {
    return this.#tree.matches(topic);
  }

  /**
   * Keeps a topic; resolves when it is on the disk.
   * @throws EdgeError `eventbus.malformed` when nobody can subscribe to it
   */
  async add(topic: string): Promise<void> {
    if (!isFilter(topic)) {
      throw eventBusError('eventbus.malformed', `${JSON.stringify(topic.slice(0, 200))} cannot be subscribed to: a topic has 1 to 65535 bytes, and + and # stand alone in their level`);
    }
    await this.#store.commit(() => this.#table.put({ topic }));
    this.#remember(topic);
  }

  /**
   * Forgets a topic at once, and for good when it resolves. There is no count of who wanted it: the message that ends one rule
   * looks the same as that of another on the same topic.
   */
  async remove(topic: string): Promise<void> {
    this.#forget(topic);
    await this.#store.commit(() => this.#table.remove({ topic }));
  }

  #remember(topic: string): void {
    if (this.#stored.has(topic) || STATIC_TOPICS.includes(topic) || !isFilter(topic)) return;
    this.#stored.add(topic);
    this.#tree.add(topic, topic);
  }

  #forget(topic: string): void {
    if (!this.#stored.delete(topic)) return;
    this.#tree.remove(topic, topic);
  }
}
