/** Takes one message; a promise is waited for before the next. */
export type TakeFrame = (text: string) => void | Promise<void>;

export interface Tap {
  pause(): void;
  resume(): void;
}

const HIGH = 256;
const LOW = 64;

/** Frames from the cloud, handled one after the other. When the modules are slow, the line is stopped instead of memory filled. */
export class Inbound {
  readonly #take: TakeFrame;
  readonly #tap: Tap;
  #queue: string[] = [];
  #running = false;
  #paused = false;
  #closed = false;

  constructor(take: TakeFrame, tap: Tap) {
    this.#take = take;
    this.#tap = tap;
  }

  push(text: string): void {
    if (this.#closed) return;
    this.#queue.push(text);
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
    for (let text = this.#queue.shift(); text !== undefined; text = this.#queue.shift()) {
      await this.#take(text);
      if (this.#paused && this.#queue.length <= LOW) {
        this.#paused = false;
        this.#tap.resume();
      }
    }
    this.#running = false;
  }
}
