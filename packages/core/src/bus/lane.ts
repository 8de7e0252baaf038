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
  #waiting: (() => void)[] = [];
  #running = false;
  #paused: boolean;

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

  push(message: Message): void {
    this.#queue.push(message);
    if (!this.#running && !this.#paused) this.#start();
  }

  /** Resolves when there is a place again, first come first served. */
  place(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  pause(): void {
    this.#paused = true;
  }

  /** Gives away what waits in the queue and lets all waiting senders try again. */
  drain(): Message[] {
    const rest = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    for (const wake of this.#waiting.splice(0)) wake();
    return rest;
  }

  #start(): void {
    this.#running = true;
    // Never inside the sender's call: a handler must not run on top of a half-finished caller.
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    while (!this.#paused && this.#head < this.#queue.length) {
      const message = this.#queue[this.#head] as Message;
      this.#head += 1;
      if (this.#head > 1024) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      if (this.#waiting.length > 0 && !this.full) this.#waiting.shift()?.();
      const pending = this.#receive(message);
      if (pending) {
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
    if (this.length === 0) this.#onIdle();
  }
}
