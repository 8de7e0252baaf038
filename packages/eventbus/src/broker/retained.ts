import { topicMatches } from '../topics.js';
import type { LocalMessage } from './session.js';

/** Topics with a retained message, at most, and bytes of all of them with their topics. */
const MAX_TOPICS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The last message of each topic that was published to be kept. In memory. */
export class Retained {
  readonly #messages = new Map<string, LocalMessage>();
  #bytes = 0;

  /** Keeps the message, or with an empty one forgets the topic. False when there is no room. */
  put(message: LocalMessage): boolean {
    const { topic, payload } = message;
    const old = this.#messages.get(topic);
    const bytes = this.#bytes - (old === undefined ? 0 : sizeOf(old)) + (payload.length === 0 ? 0 : sizeOf(message));
    if (payload.length > 0 && (bytes > MAX_BYTES || (old === undefined && this.#messages.size >= MAX_TOPICS))) return false;
    this.#bytes = bytes;
    this.#messages.delete(topic);
    // Copied: the payload is a view of everything that its client sent at that moment.
    if (payload.length > 0) this.#messages.set(topic, { ...message, payload: Buffer.from(payload), retained: true });
    return true;
  }

  /** Messages for a new subscription. */
  matching(filter: string): LocalMessage[] {
    const exact = this.#messages.get(filter);
    if (!/[+#]/.test(filter)) return exact === undefined ? [] : [exact];
    return [...this.#messages.values()].filter(({ topic }) => topicMatches(filter, topic));
  }
}

function sizeOf({ topic, payload }: LocalMessage): number {
  return topic.length + payload.length;
}
