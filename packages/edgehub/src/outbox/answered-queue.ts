import type { Store, Table } from '@edge/core';
import { answeredTable, type AnsweredRow } from './rows.js';

interface Entry {
  readonly key: string;
  /** Id of the newest message. */
  id: string;
  seq: number;
  bytes: number;
  created: number;
  /** Waits to be sent. */
  queued: boolean;
  /** The message under way for this key, if any: the newest or one before it. */
  sentId: string | undefined;
  sentAt: number;
}

/** Messages under way at a time. */
const WINDOW = 64;
/** After this time without an answer the message is sent again. */
const RESEND_MS = 60_000;
/** A newer message of a key waits this long for the answer to the one before: the cloud works on several at a time and could swap them. */
const HOLD_MS = 5000;

/** The newest message of each key, kept until the cloud has answered it. Texts stay on disk. */
export class AnsweredQueue {
  readonly #store: Store;
  readonly #table: Table<AnsweredRow>;
  readonly #entries = new Map<string, Entry>();
  /** By the id under way, in the order of sending. */
  readonly #sent = new Map<string, Entry>();
  #queue: Entry[] = [];
  #next = 1;
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#table = store.table(answeredTable);
  }

  get length(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get unanswered(): number {
    return this.#sent.size;
  }

  /** True when time alone can make something due. */
  get busy(): boolean {
    return this.#queue.length > 0 || this.#sent.size > 0;
  }

  load(): void {
    for (const row of this.#table.all({}, { orderBy: ['seq'] })) {
      const { key, id, seq, created, frame } = row;
      const entry: Entry = { key, id, seq, created, bytes: frame.length, queued: true, sentId: undefined, sentAt: 0 };
      this.#entries.set(key, entry);
      this.#queue.push(entry);
      this.#bytes += entry.bytes;
      this.#next = Math.max(this.#next, seq + 1);
    }
  }

  /** Writes one; inside a commit. It counts from `committed` on. An older one that still waits gives it its place in the line. */
  put(key: string, id: string, frame: string, created: number): AnsweredRow {
    const known = this.#entries.get(key);
    const row: AnsweredRow = { key, id, seq: known?.queued ? known.seq : this.#next, created, frame };
    this.#next += 1;
    this.#table.put(row);
    return row;
  }

  committed({ key, id, seq, created, frame }: AnsweredRow): void {
    const known = this.#entries.get(key);
    if (known) {
      // Sent already: it was read from the table before its commit was on the disk.
      if (known.sentId === id) return;
      this.#bytes += frame.length - known.bytes;
      Object.assign(known, { id, seq, created, bytes: frame.length });
      if (known.queued) return;
      known.queued = true;
      this.#queue.push(known);
      return;
    }
    const entry: Entry = { key, id, seq, created, bytes: frame.length, queued: true, sentId: undefined, sentAt: 0 };
    this.#entries.set(key, entry);
    this.#queue.push(entry);
    this.#bytes += entry.bytes;
  }

  /** The next one to send, marked as sent. Times are of one monotonic clock. */
  take(now: number): AnsweredRow | undefined {
    this.#requeueLate(now);
    if (this.#sent.size >= WINDOW) return undefined;
    for (const [index, entry] of this.#queue.entries()) {
      if (entry.sentId !== undefined && now - entry.sentAt < HOLD_MS) continue;
      this.#queue.splice(index, 1);
      entry.queued = false;
      const row = this.#table.get({ key: entry.key });
      if (!row) {
        this.#forget(entry);
        return this.take(now);
      }
      if (entry.sentId !== undefined) this.#sent.delete(entry.sentId);
      this.#bytes += row.frame.length - entry.bytes;
      entry.bytes = row.frame.length;
      entry.id = row.id;
      entry.sentId = row.id;
      entry.sentAt = now;
      this.#sent.set(row.id, entry);
      return row;
    }
    return undefined;
  }

  /** An answer came. True when it answers one of ours. */
  answered(parentId: string): boolean {
    const entry = this.#sent.get(parentId);
    if (!entry) return false;
    this.#sent.delete(parentId);
    entry.sentId = undefined;
    if (parentId !== entry.id) return true;
    this.#forget(entry);
    // By id too: a newer message of this key may be in the table already.
    void this.#store.commit(() => this.#table.remove({ key: entry.key, id: parentId })).catch(ignore);
    return true;
  }

  /** A new session: everything unanswered is sent again, oldest first. */
  rewind(): void {
    this.#sent.clear();
    this.#queue = [...this.#entries.values()].sort((one, other) => one.seq - other.seq);
    for (const entry of this.#queue) {
      entry.queued = true;
      entry.sentId = undefined;
    }
  }

  /** Oldest first. */
  oldest(limit: number): readonly { readonly key: string; readonly id: string; readonly bytes: number; readonly created: number }[] {
    return [...this.#entries.values()].sort((one, other) => one.seq - other.seq).slice(0, limit);
  }

  /** Forgets these; inside a commit. */
  drop(rows: readonly { readonly key: string; readonly id: string }[]): void {
    for (const { key, id } of rows) {
      const entry = this.#entries.get(key);
      if (!entry) continue;
      this.#table.remove({ key, id });
      if (entry.sentId !== undefined) this.#sent.delete(entry.sentId);
      this.#queue = this.#queue.filter((other) => other !== entry);
      this.#forget(entry);
    }
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
    if (entry.queued) this.#queue = this.#queue.filter((other) => other !== entry);
  }

  #requeueLate(now: number): void {
    for (const [id, entry] of this.#sent) {
      if (now - entry.sentAt < RESEND_MS) return;
      this.#sent.delete(id);
      entry.sentId = undefined;
      if (entry.queued) continue;
      entry.queued = true;
      this.#queue.push(entry);
    }
  }
}

function ignore(): void {
  // The row stays and is sent again: a patch or delete that the cloud sees twice has no second effect.
}
