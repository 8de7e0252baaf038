interface Piece {
  readonly work: () => Promise<void>;
  readonly drop: () => void;
  readonly bytes: number;
}

export interface PostsLimits {
  /** At a time; 1 keeps the order. */
  readonly running: number;
  /** Bytes of what waits. */
  readonly waitingBytes: number;
}

/** Work for one rule: some at a time, begun in the order in which it came; the oldest that waits is given up when too much does. */
export class Posts {
  readonly #limits: PostsLimits;
  readonly #waiting: Piece[] = [];
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;

  constructor(limits: PostsLimits) {
    this.#limits = limits;
  }

  /** True in a piece of work behind which nothing waits and beside which nothing runs. */
  get last(): boolean {
    return this.#running.size <= 1 && this.#waiting.length === 0;
  }

  /** @param work must not reject; `drop` is called when it is given up; each piece counts 1 KiB besides its bytes */
  add(work: () => Promise<void>, bytes: number, drop: () => void): void {
    this.#waiting.push({ work, drop, bytes: bytes + 1024 });
    this.#bytes += bytes + 1024;
    this.#pump();
    while (this.#bytes > this.#limits.waitingBytes) this.#take()?.drop();
  }

  /** Gives up what waits; resolves when nothing runs. */
  async stop(): Promise<void> {
    while (this.#take());
    await Promise.all(this.#running);
  }

  #take(): Piece | undefined {
    const piece = this.#waiting.shift();
    this.#bytes -= piece?.bytes ?? 0;
    return piece;
  }

  #pump(): void {
    while (this.#running.size < this.#limits.running) {
      const next = this.#take();
      if (!next) return;
      const running = next.work().finally(() => {
        this.#running.delete(running);
        this.#pump();
      });
      this.#running.add(running);
    }
  }
}
