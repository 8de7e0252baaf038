import { createHash } from 'node:crypto';
import type { Outgoing } from './publish-queue.js';

interface Echo {
  readonly until: number;
}

const FORGET_MS = 60_000;
const MAX_KEPT = 10_000;

/**
 * What the agent has published to the broker elsewhere and listens to itself comes back from there. Where both brokers are in
 * use the agent does not hear itself at the one in here, so it must not at the other.
 */
export class Echoes {
  /** What was said, with its echoes in the order in which they stop being expected. */
  readonly #expected = new Map<string, Echo[]>();
  /** A message that is sent again is expected once all the same, unless its echo was heard already. */
  readonly #echoes = new WeakMap<Outgoing, Echo>();

  expect(message: Outgoing, now: number = Date.now()): void {
    const key = keyOf(message.topic, message.payload);
    const before = this.#echoes.get(message);
    const echo: Echo = { until: now + FORGET_MS };
    const all = [...(this.#expected.get(key) ?? []).filter((other) => other !== before && other.until > now), echo];
    this.#echoes.set(message, echo);
    this.#expected.delete(key);
    this.#expected.set(key, all.slice(-MAX_KEPT));
    for (const [oldest, echoes] of this.#expected) {
      if (this.#expected.size <= MAX_KEPT && (echoes.at(-1)?.until ?? 0) > now) break;
      this.#expected.delete(oldest);
    }
  }

  /** Messages whose echo is expected. */
  get size(): number {
    return this.#expected.size;
  }

  /** True when this is one of ours; each counts once. */
  swallow(topic: string, payload: Buffer, now: number = Date.now()): boolean {
    if (this.#expected.size === 0) return false;
    const key = keyOf(topic, payload);
    const echoes = this.#expected.get(key)?.filter(({ until }) => until > now);
    const known = echoes?.shift() !== undefined;
    if (echoes !== undefined && echoes.length > 0) this.#expected.set(key, echoes);
    else this.#expected.delete(key);
    return known;
  }
}

function keyOf(topic: string, payload: Buffer): string {
  return createHash('sha256').update(topic).update('\0').update(payload).digest('base64');
}
