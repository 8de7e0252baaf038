/** Due times this close are served by one waking of the process. */
const TOGETHER_MS = 20;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls for many keys when each is due, with one timer. Times are those of `performance.now()`, which no clock change touches. */
export class Schedule<K> implements Disposable {
  readonly #due = new Map<K, number>();
  readonly #onDue: (key: K, due: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  /** @param onDue called once for each time that was set, with that time */
  constructor(onDue: (key: K, due: number) => void) {
    this.#onDue = onDue;
  }

  has(key: K): boolean {
    return this.#due.has(key);
  }

  /** Replaces the key's earlier time. */
  set(key: K, due: number): void {
    this.#due.set(key, due);
    if (due < this.#timerAt) this.#arm(due);
  }

  /** A timer that was armed for it fires in vain; that is cheaper than arming another one. */
  delete(key: K): void {
    this.#due.delete(key);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#due.clear();
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(0, Math.ceil(at - performance.now())), LONGEST_TIMER_MS));
  }

  #fire(): void {
    this.#timerAt = Infinity;
    const until = performance.now() + TOGETHER_MS;
    const ready = [...this.#due].filter(([, due]) => due <= until);
    for (const [key] of ready) this.#due.delete(key);
    for (const [key, due] of ready) this.#onDue(key, due);
    const next = Math.min(Infinity, ...this.#due.values());
    if (next < this.#timerAt) this.#arm(next);
  }
}
