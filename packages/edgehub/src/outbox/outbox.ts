import { Complaints, EdgeError, errorText, type Logger, type Store } from '@edge/core';
import { encodeMessage, type Message } from '@edge/protocol';
import type { EdgeHubConfig } from '../config.js';
import type { Delivery } from '../delivery-of.js';
import { EdgeHubErrors } from '../errors.js';
import { AnsweredQueue } from './answered-queue.js';
import { planDrops, type Drops } from './limits.js';
import { OrderedQueue } from './ordered-queue.js';

/** The kinds of delivery that are kept on disk. */
export type DurableDelivery = Extract<Delivery, { lane: 'answered' | 'ordered' }>;

export interface OutboxDeps {
  readonly store: Store;
  readonly config: EdgeHubConfig;
  readonly log: Logger;
}

/** What waits, and what was thrown away since the start. */
export interface OutboxStats {
  readonly answered: number;
  readonly ordered: number;
  readonly bytes: number;
  readonly droppedTooOld: number;
  readonly droppedTooMany: number;
}

interface Accepted {
  readonly message: Message;
  readonly delivery: DurableDelivery;
  readonly frame: string;
}

/** So many may wait for the disk before the sender has to. */
const MAX_UNCOMMITTED = 2000;
const MAX_BATCH = 500;
const SAY_AGAIN_MS = 30_000;

/** What the edge has to tell the cloud, until the cloud knows it. Survives loss of power. */
export class Outbox {
  readonly answered: AnsweredQueue;
  readonly ordered: OrderedQueue;
  readonly #store: Store;
  readonly #config: EdgeHubConfig;
  readonly #log: Logger;
  readonly #complaints = new Complaints(SAY_AGAIN_MS);
  #accepted: Accepted[] = [];
  #uncommitted = 0;
  #flush: Promise<void> = Promise.resolve();
  #droppedTooOld = 0;
  #droppedTooMany = 0;
  /** Called when there is something to send. */
  onWork: () => void = () => undefined;
  /** Called with an ordered message that is on the disk. */
  onKept: (message: Message) => void = () => undefined;
  /** Called with a message that the disk did not take: it can only be sent now or never. */
  onVolatile: (message: Message, error: unknown) => void = () => undefined;

  constructor({ store, config, log }: OutboxDeps) {
    this.#store = store;
    this.#config = config;
    this.#log = log.named('outbox');
    this.answered = new AnsweredQueue(store);
    this.ordered = new OrderedQueue(store);
  }

  get stats(): OutboxStats {
    return {
      answered: this.answered.length,
      ordered: this.ordered.length,
      bytes: this.answered.bytes + this.ordered.bytes,
      droppedTooOld: this.#droppedTooOld,
      droppedTooMany: this.#droppedTooMany,
    };
  }

  /** Finds what an earlier run left. */
  async load(): Promise<void> {
    this.answered.load();
    await this.ordered.load();
    const { answered, ordered, bytes } = this.stats;
    if (answered + ordered > 0) this.#log.info('messages of an earlier run wait for the cloud', { answered, ordered, bytes });
    await this.enforceLimits();
  }

  /**
   * Takes a message. The result, when there is one, is to be waited for before the next message: the disk is behind.
   * @throws EdgeError `edgehub.outbox-too-large`
   */
  accept(message: Message, delivery: DurableDelivery): void | Promise<void> {
    const frame = encodeMessage(message);
    if (frame.length > this.#config.outbox.maxBytes) {
      throw new EdgeError(EdgeHubErrors.outboxTooLarge, `a message of ${frame.length} bytes is larger than edge.outbox.maxBytes (${this.#config.outbox.maxBytes})`);
    }
    this.#accepted.push({ message, delivery, frame });
    this.#uncommitted += 1;
    // One unit for all that come in this turn.
    if (this.#accepted.length === 1) queueMicrotask(() => this.#commit());
    else if (this.#accepted.length >= MAX_BATCH) this.#commit();
    return this.#uncommitted > MAX_UNCOMMITTED ? this.#flush : undefined;
  }

  /** Resolves when everything accepted so far is on the disk (or was found not to fit there). */
  async flush(): Promise<void> {
    this.#commit();
    await this.#flush;
    await this.ordered.settled();
  }

  /** Throws away what is too old or too much; says so and counts it. */
  async enforceLimits(now: number = Date.now()): Promise<void> {
    for (;;) {
      const total = this.answered.bytes + this.ordered.bytes;
      const rows = this.ordered.oldest();
      const ordered = planDrops(rows.map(({ created, frame }) => ({ created, bytes: frame.length })), total, this.#config.outbox, now);
      if (ordered.count > 0) {
        if (!(await this.#drop(() => this.ordered.drop(rows.slice(0, ordered.count))))) return;
        this.#countDrops(ordered, 'ordered');
        continue;
      }
      // States go last: there is one per key, and each is the newest of its kind.
      const oldest = this.answered.oldest(100);
      const answered = planDrops(oldest, total, this.#config.outbox, now);
      if (answered.count === 0) return;
      if (!(await this.#drop(() => this.answered.drop(oldest.slice(0, answered.count))))) return;
      this.#countDrops(answered, 'answered');
    }
  }

  /** False when the disk does not even take deletions; they are tried again later. */
  async #drop(work: () => void): Promise<boolean> {
    try {
      await this.#store.commit(work);
      return true;
    } catch (error) {
      if (this.#complaints.passes('not dropped')) this.#log.error('the outbox cannot be made smaller', { err: errorText(error) });
      return false;
    }
  }

  #commit(): void {
    const batch = this.#accepted;
    if (batch.length === 0) return;
    this.#accepted = [];
    const finish: (() => void)[] = [];
    const written = this.#store
      .commit(() => {
        const now = Date.now();
        for (const { message, delivery, frame } of batch) {
          if (delivery.lane === 'answered') {
            const row = this.answered.put(delivery.key, message.header.id, frame, now);
            finish.push(() => this.answered.committed(row));
          } else {
            const seq = this.ordered.put(frame, now);
            finish.push(() => {
              this.ordered.committed(seq, frame.length);
              this.onKept(message);
            });
          }
        }
      })
      .then(
        () => {
          for (const step of finish) step();
          this.onWork();
          return this.answered.bytes + this.ordered.bytes > this.#config.outbox.maxBytes ? this.enforceLimits() : undefined;
        },
        (error: unknown) => this.#notWritten(batch, error),
      )
      .finally(() => (this.#uncommitted -= batch.length));
    this.#flush = Promise.all([this.#flush, written]).then(() => undefined);
  }

  #notWritten(batch: readonly Accepted[], error: unknown): void {
    if (this.#complaints.passes('not written')) {
      this.#log.error('the database takes no messages for the cloud; they are sent only while the link is up', { err: errorText(error), messages: batch.length });
    }
    for (const { message } of batch) this.onVolatile(message, error);
  }

  #countDrops({ count, bytes, tooOld }: Drops, queue: string): void {
    this.#droppedTooOld += tooOld;
    this.#droppedTooMany += count - tooOld;
    if (!this.#complaints.passes(`dropped ${queue}`)) return;
    const { maxBytes, maxAgeSeconds } = this.#config.outbox;
    this.#log.warn('messages for the cloud were thrown away: the outbox is full or they are too old', {
      queue,
      count,
      bytes,
      maxBytes,
      maxAgeSeconds,
      sinceStart: this.#droppedTooOld + this.#droppedTooMany,
    });
  }
}
