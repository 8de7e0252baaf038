import type { Pod } from '@edge/protocol';
import type { PodEvent } from '../plan/event.js';

/** What was said about one thing so far. */
export interface Told {
  /** How often it happened. */
  readonly count: number;
  /** When it happened first, milliseconds since the epoch. */
  readonly first: number;
}

interface Entry {
  count: number;
  first: number;
  last: number;
  told: number;
  toldAt: number;
  /** Of the event object that was made of it. */
  name: string;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** After so long without it the same thing is news again. */
const FORGET_MS = 10 * 60_000;
/** Repeats told at once; the pause before the next one then doubles. */
const AT_ONCE = 3;
const FIRST_PAUSE_MS = 20_000;
const LAST_PAUSE_MS = 5 * 60_000;
/** Events of one pod in a row; after them one in five minutes, as with upstream. */
const BURST = 25;
const REFILL_MS = 5 * 60_000;
const MOST = 2_000;

/** Keeps what happens again and again, a probe that fails every ten seconds, from being told again and again. */
export class EventMemory {
  readonly #entries = new Map<string, Entry>();
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Takes note of an event.
   * @param name of the event object, if this one is the first of its kind
   * @returns what is to be told now, with the name of the object that tells it: one of its own or one that is there already; undefined for nothing
   */
  note(pod: Pod, event: PodEvent, name: string, now: number): (Told & { readonly name: string; readonly isNew: boolean }) | undefined {
    const uid = pod.metadata.uid ?? '';
    const key = [uid, event.fieldPath ?? '', event.reason, event.message].join('\0');
    const known = this.#entries.get(key);
    // Neither is a clock that was set back a reason to be silent.
    const entry = known && now >= known.last && now - known.last < FORGET_MS ? known : { count: 0, first: now, last: now, told: 0, toldAt: 0, name };
    // The one that happened last goes to the end: what is forgotten first is what has not happened for longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.count += 1;
    entry.last = now;
    const pause = entry.told < AT_ONCE ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (entry.told - AT_ONCE), LAST_PAUSE_MS);
    forgetOldest(this.#entries);
    if (now - entry.toldAt < pause || !this.#mayTell(uid, now)) return undefined;
    entry.told += 1;
    entry.toldAt = now;
    return { count: entry.count, first: entry.first, name: entry.name, isNew: entry.told === 1 };
  }

  #mayTell(uid: string, now: number): boolean {
    const bucket = this.#buckets.get(uid) ?? { tokens: BURST, at: now };
    const refilled = Math.min(BURST, bucket.tokens + Math.max(0, now - bucket.at) / REFILL_MS);
    this.#buckets.delete(uid);
    this.#buckets.set(uid, { tokens: refilled < 1 ? refilled : refilled - 1, at: now });
    forgetOldest(this.#buckets);
    return refilled >= 1;
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= MOST) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
