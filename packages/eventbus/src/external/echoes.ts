import { createHash } from 'node:crypto';

const FORGET_MS = 60_000;
const MAX_KEPT = 10_000;

/**
 * What the agent has published to the broker elsewhere and listens to itself comes back from there. Where both brokers are in
 * use the agent does not hear itself at the one in here, so it must not at the other.
 */
export class Echoes {
  /** Message → when each of its echoes stops being expected. */
  readonly #expected = new Map<string, number[]>();

  expect(topic: string, payload: Buffer, now: number = Date.now()): void {
    const key = keyOf(topic, payload);
    const times = this.#expected.get(key) ?? [];
    times.push(now + FORGET_MS);
    this.#expected.delete(key);
    this.#expected.set(key, times);
    if (this.#expected.size > MAX_KEPT) this.#expected.delete(this.#expected.keys().next().value as string);
  }

  /** True when this is one of ours; each counts once. */
  swallow(topic: string, payload: Buffer, now: number = Date.now()): boolean {
    if (this.#expected.size === 0) return false;
    const key = keyOf(topic, payload);
    const times = this.#expected.get(key)?.filter((time) => time > now);
    const known = times?.shift() !== undefined;
    if (times !== undefined && times.length > 0) this.#expected.set(key, times);
    else this.#expected.delete(key);
    return known;
  }
}

function keyOf(topic: string, payload: Buffer): string {
  return createHash('sha256').update(topic).update('\0').update(payload).digest('base64');
}
