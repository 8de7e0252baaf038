import type { Message } from '@edge/protocol';

/** Handles one message; a rejection is the receiver's business and never reaches the lane. */
export type Receive = (message: Message) => void | Promise<void>;

/**
 * A bounded queue whose messages are handled one after the other, in order.
 * A handler that returns nothing is done at once; a promise is waited for before the next message.
 */
export class Lane {
  readonly #receive: Receive;
  readonly #capacity: number;
  readonly #onIdle: () => void;
  #queue: Message[] = [];
  #head = 0;
  /** Messages without a place yet, and what tells their senders that they have one. */
  #waiting: { readonly message: Message; readonly placed: () => void }[] = [];
  #running = false;
  #paused: boolean;
  /** Whoever waits until no message is in hand. */
  #resting: (() => void)[] = [];
  /** When the message in hand was begun, by the monotonic clock in ms; undefined between messages. */
  #busySince: number | undefined;

  constructor(receive: Receive, capacity: number, paused: boolean, onIdle: () => void) {
    this.#receive = receive;
    this.#capacity = capacity;
    this.#paused = paused;
    this.#onIdle = onIdle;
  }

  get length(): number {
    return this.#queue.length - this.#head;
  }

  get full(): boolean {
    return this.length >= this.#capacity;
  }

  /** How many senders wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Milliseconds for which others have had to wait for the message in hand; 0 when nobody waits. */
  heldUpMs(now: number): number {
    return this.#busySince === undefined || this.length === 0 ? 0 : now - this.#busySince;
  }

  push(message: Message): void {
    this.#queue.push(message);
    if (!this.#running && !this.#paused) this.#start();
  }

  /** Resolves when the message has its place, first come first served: one that comes later stays behind it. */
  place(message: Message): Promise<void> {
    return new Promise((placed) => this.#waiting.push({ message, placed }));
  }

  pause(): void {
    this.#paused = true;
  }

  /** Resolves when no message is in hand: at once, or, once paused, after the present one. */
  atRest(): Promise<void> {
    return this.#running ? new Promise((resolve) => this.#resting.push(resolve)) : Promise.resolve();
  }

  /** Gives away what waits, in the queue and for a place in it; its senders need not wait any more. */
  drain(): Message[] {
    const waiting = this.#waiting.splice(0);
    const rest = [...this.#queue.slice(this.#head), ...waiting.map(({ message }) => message)];
    this.#queue = [];
    this.#head = 0;
    for (const { placed } of waiting) placed();
    return rest;
  }

  #start(): void {
    this.#running = true;
    // Never inside the sender's call: a handler must not run on top of a half-finished caller.
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    this.#busySince = undefined;
    while (!this.#paused && this.#head < this.#queue.length) {
      const message = this.#queue[this.#head] as Message;
      this.#head += 1;
      if (this.#head > 1024) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      if (this.#waiting.length > 0 && !this.full) {
        const next = this.#waiting.shift();
        if (next) this.#queue.push(next.message);
        next?.placed();
      }
      const pending = this.#receive(message);
      if (pending) {
        this.#busySince = performance.now();
        pending.then(
          () => this.#pump(),
          () => this.#pump(),
        );
        return;
      }
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    this.#running = false;
    for (const rested of this.#resting.splice(0)) rested();
    if (this.length === 0) this.#onIdle();
  }
}
