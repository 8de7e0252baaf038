const RETRY_AFTER = 1000;

/**
 * Handles keys one after the other. A key that is added again while it waits is handled once; one whose handling
 * failed comes back after a second.
 */
export class WorkQueue<T> {
  readonly #handle: (item: T) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Map<string, T>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: { handle: (item: T) => Promise<void>; onError: (error: unknown) => void }) {
    this.#handle = deps.handle;
    this.#onError = deps.onError;
  }

  add(key: string, item: T): void {
    if (this.#stopped) return;
    this.#waiting.set(key, item);
    this.#running ??= this.#run();
  }

  /** Resolves when the item in hand is done; what still waits is dropped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    // Not inside the caller, who may be a store in the middle of announcing a change.
    await Promise.resolve();
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      const [key, item] = next;
      try {
        await this.#handle(item);
      } catch (error) {
        this.#onError(error);
        this.#retry(key, item);
      }
    }
    this.#running = undefined;
  }

  #take(): [string, T] | undefined {
    for (const entry of this.#waiting) {
      this.#waiting.delete(entry[0]);
      return entry;
    }
    return undefined;
  }

  #retry(key: string, item: T): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.add(key, item);
    }, RETRY_AFTER);
    this.#timers.add(timer);
  }
}
