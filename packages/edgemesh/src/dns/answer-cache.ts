import { aged, type Scanned } from './wire/scan-answer.js';

/** Larger answers are asked for again each time. */
const MOST_BYTES = 4096;
const LONGEST_SECONDS = 3600;
const LONGEST_DENIAL_SECONDS = 300;
/** How long what has run out is still better than nothing (RFC 8767), and for how long others may keep it. */
const STALE_SECONDS = 86_400;
const STALE_TTL = 30;

interface Entry {
  readonly bytes: Buffer;
  readonly ttlOffsets: readonly number[];
  readonly since: number;
  readonly until: number;
}

/** Answers of others, for as long as they say; the one that was used least lately goes first. [edgemesh-6] */
export class AnswerCache {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;
  readonly #now: () => number;

  /** @param deps.now milliseconds of a clock that only goes forward */
  constructor(deps: { limit: number; now?: () => number }) {
    this.#limit = deps.limit;
    this.#now = deps.now ?? ((): number => performance.now());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A fresh answer under that id; undefined for none. */
  get(key: string, id: number): Buffer | undefined {
    const entry = this.#used(key);
    const now = this.#now();
    return entry === undefined || now >= entry.until ? undefined : aged(entry.bytes, entry.ttlOffsets, id, Math.floor((now - entry.since) / 1000));
  }

  /** What has run out, for when nobody answers. */
  getStale(key: string, id: number): Buffer | undefined {
    const entry = this.#used(key);
    return entry === undefined || this.#now() >= entry.until + STALE_SECONDS * 1000 ? undefined : aged(entry.bytes, entry.ttlOffsets, id, 0, STALE_TTL);
  }

  set(key: string, bytes: Buffer, { ttl, ttlOffsets, rcode }: Scanned): void {
    if (ttl === 0 || bytes.length > MOST_BYTES || this.#limit === 0) return;
    const now = this.#now();
    const seconds = Math.min(ttl, rcode === 0 && bytes.readUInt16BE(6) > 0 ? LONGEST_SECONDS : LONGEST_DENIAL_SECONDS);
    this.#entries.delete(key);
    // Not a part of what it was read from, which may be much larger.
    this.#entries.set(key, { bytes: Buffer.from(bytes), ttlOffsets, since: now, until: now + seconds * 1000 });
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  #used(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }
}
