/** A message for the broker. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** Messages that wait for the broker, in order. When there are too many the oldest go: of results the newest counts. */
export class PublishQueue {
  readonly #limit: number;
  #waiting: Outgoing[] = [];
  #head = 0;
  #bytes = 0;
  /** Messages that nobody will ever get. */
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  push(message: Outgoing): void {
    this.#waiting.push(message);
    this.#bytes += message.payload.length;
    while (this.length > this.#limit || (this.#bytes > MAX_BYTES && this.length > 1)) {
      this.shift();
      this.dropped += 1;
    }
  }

  shift(): Outgoing | undefined {
    const message = this.#waiting[this.#head];
    if (message === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= message.payload.length;
    if (this.#head === this.#waiting.length || this.#head >= 1024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  /** Puts messages that were taken out back in front. */
  putBack(messages: Iterable<Outgoing>): void {
    const all = [...messages];
    this.#waiting = [...all, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
    for (const { payload } of all) this.#bytes += payload.length;
  }
}
