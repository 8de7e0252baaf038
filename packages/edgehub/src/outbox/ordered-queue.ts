import type { Store, Table } from '@edge/core';
import { orderedTable, type OrderedRow } from './rows.js';

const PAGE = 128;
/** Confirmations are gathered for so long before they are written down. */
const SHORTEST_GATHER_MS = 10;
const LONGEST_GATHER_MS = 200;

/**
 * First in, first out, on disk. In memory are only the ends of the line and one page of it.
 *
 *     confirmed < sent <= last        places in the line
 *     (confirmed, sent]               sent in this session, not confirmed yet
 *     (sent, last]                    waiting
 */
export class OrderedQueue {
  readonly #store: Store;
  readonly #table: Table<OrderedRow>;
  #confirmed = 0;
  #sent = 0;
  #last = 0;
  /** Next free place; ahead of `last` by what is being committed. */
  #next = 1;
  #page: OrderedRow[] = [];
  #inFlight: { seq: number; bytes: number }[] = [];
  #bytes = 0;
  #gone: number[] = [];
  #removal: Promise<void> | undefined;
  #gatherMs = SHORTEST_GATHER_MS;

  constructor(store: Store) {
    this.#store = store;
    this.#table = store.table(orderedTable);
  }

  get length(): number {
    return this.#last - this.#confirmed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get unconfirmed(): number {
    return this.#inFlight.length;
  }

  /** True while something is under way, or confirmed and not yet taken off the disk: a kill now would make it come twice. */
  get unsettled(): boolean {
    return this.#inFlight.length > 0 || this.#removal !== undefined;
  }

  get waiting(): boolean {
    return this.#sent < this.#last;
  }

  /** Finds the ends of the line and its size, page by page. Resolves when done. */
  async load(): Promise<void> {
    const [first] = this.#table.all({}, { orderBy: ['seq'], limit: 1 });
    const [last] = this.#table.all({}, { orderBy: ['seq'], descending: true, limit: 1 });
    if (!first || !last) return;
    this.#confirmed = first.seq - 1;
    this.#sent = this.#confirmed;
    this.#last = last.seq;
    this.#next = last.seq + 1;
    for (let from = first.seq; from <= last.seq; from += PAGE) {
      for (const row of this.#read(from, last.seq)) this.#bytes += row.frame.length;
      await new Promise(setImmediate);
    }
  }

  /** Writes one at the end; inside a commit. It counts from `committed` on. */
  put(frame: string, created: number): number {
    const seq = this.#next;
    this.#next += 1;
    this.#table.put({ seq, created, frame });
    return seq;
  }

  /** The commit that wrote this place is on the disk. */
  committed(seq: number, bytes: number): void {
    this.#bytes += bytes;
    if (seq > this.#last) this.#last = seq;
  }

  /** The next one to send, marked as sent. */
  take(): OrderedRow | undefined {
    while (this.#sent < this.#last) {
      const row = this.#page.shift();
      if (row === undefined) {
        this.#page = this.#read(this.#sent + 1, this.#last);
        // A whole page of holes: those places were dropped.
        if (this.#page.length === 0) this.#sent = Math.min(this.#last, this.#sent + PAGE);
        continue;
      }
      if (row.seq <= this.#sent) continue;
      this.#sent = row.seq;
      this.#inFlight.push({ seq: row.seq, bytes: row.frame.length });
      return row;
    }
    return undefined;
  }

  /** A new session: what is not confirmed is sent again, from the oldest on. */
  rewind(): void {
    this.#sent = this.#confirmed;
    this.#inFlight = [];
    this.#page = [];
  }

  /**
   * The cloud has read everything up to this place.
   * @param promptly takes it off the disk at once; else confirmations are gathered, which spares the disk on a busy line
   */
  confirm(seq: number, promptly: boolean): void {
    const count = this.#inFlight.findIndex((sent) => sent.seq > seq);
    const done = this.#inFlight.splice(0, count < 0 ? this.#inFlight.length : count);
    for (const { bytes } of done) this.#bytes -= bytes;
    if (done.length === 0) return;
    this.#confirmed = (done.at(-1) as { seq: number }).seq;
    this.#gone.push(...done.map((sent) => sent.seq));
    void this.#removeGone(promptly ? 0 : this.#gatherMs);
  }

  /** The oldest that wait and are not under way. */
  oldest(): OrderedRow[] {
    return this.#read(this.#sent + 1, this.#last);
  }

  /** Forgets these, which wait at the front. Inside a commit. */
  drop(rows: readonly OrderedRow[]): void {
    const last = rows.at(-1);
    if (!last) return;
    this.#table.remove({ seq: padded(rows.map(({ seq }) => seq)) });
    for (const row of rows) this.#bytes -= row.frame.length;
    this.#sent = last.seq;
    if (this.#inFlight.length === 0) this.#confirmed = last.seq;
    this.#page = [];
  }

  /** Resolves when all removals are on the disk. */
  async settled(): Promise<void> {
    while (this.#removal) await this.#removal;
  }

  /** Many confirmations share one commit: what was gathered when the process is killed comes twice. */
  async #removeGone(gatherMs: number): Promise<void> {
    if (this.#removal) return;
    this.#removal = (async () => {
      if (gatherMs > 0) await new Promise((resolve) => setTimeout(resolve, gatherMs));
      const startedAt = performance.now();
      const gone = this.#gone.splice(0);
      // A removal that fails leaves the rows: they are sent again after the next start, which is a duplicate and no loss.
      await this.#store.commit(() => {
        for (let from = 0; from < gone.length; from += PAGE) this.#table.remove({ seq: padded(gone.slice(from, from + PAGE)) });
      }).catch(ignore);
      // Removing may take a tenth of the time and no more, however slow the disk is.
      this.#gatherMs = Math.min(LONGEST_GATHER_MS, Math.max(SHORTEST_GATHER_MS, (performance.now() - startedAt) * 9));
      this.#removal = undefined;
      if (this.#gone.length > 0) void this.#removeGone(this.#gatherMs);
    })();
    await this.#removal;
  }

  #read(from: number, to: number): OrderedRow[] {
    const count = Math.min(PAGE, to - from + 1);
    if (count <= 0) return [];
    return this.#table.all({ seq: padded(Array.from({ length: count }, (_, index) => from + index)) }, { orderBy: ['seq'] });
  }
}

/** Filled up to a power of two with its last element, so that few different statements have to be prepared. */
function padded(seqs: readonly number[]): number[] {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, seqs.length)));
  return [...seqs, ...Array.from({ length: size - seqs.length }, () => seqs.at(-1) as number)];
}

function ignore(): void {
  // Said above.
}
