import type { Message } from '@edge/protocol';

/** Takes one message; a promise is waited for before the next. */
export type TakeMessage = (message: Message) => void | Promise<void>;

export interface Tap {
  pause(): void;
  resume(): void;
}

const HIGH = 256;
const LOW = 64;

/** Messages from the cloud, handled one after the other. When the modules are slow, the line is stopped instead of memory filled. */
export class Inbound {
  readonly #take: TakeMessage;
  readonly #tap: Tap;
  #queue: Message[] = [];
  #running = false;
  #paused = false;
  #closed = false;

  constructor(take: TakeMessage, tap: Tap) {
    this.#take = take;
    this.#tap = tap;
  }

  /** True while the line is stopped from this side; its silence says nothing then. */
  get paused(): boolean {
    return this.#paused;
  }

  push(message: Message): void {
    if (this.#closed) return;
    this.#queue.push(message);
    if (!this.#paused && this.#queue.length >= HIGH) {
      this.#paused = true;
      this.#tap.pause();
    }
    if (!this.#running) void this.#run();
  }

  /** What was received is still handled; the cloud counts it as delivered. */
  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
      await this.#take(message);
      if (this.#paused && this.#queue.length <= LOW) {
        this.#paused = false;
        this.#tap.resume();
      }
    }
    this.#running = false;
  }
}
