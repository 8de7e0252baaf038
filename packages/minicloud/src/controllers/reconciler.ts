import { type Backoff, backoffDelay, errorText, type Logger } from '@edge/core';

/** Timers count to no more; one of longer would be due at once. */
const LONGEST_MS = 2 ** 31 - 1;
const RETRY: Backoff = { firstMs: 50, factor: 2, limitMs: 30_000, jitter: 0.2 };

export interface ReconcilerDeps {
  readonly name: string;
  readonly log: Logger;
  /**
   * Brings one thing in order, whatever its state. Gives milliseconds after which it wants to look again.
   * When it rejects it is called again after a growing pause.
   */
  readonly reconcile: (key: string) => Promise<number | void>;
}

/** Work by key: each key is worked on by one at a time, changes meanwhile lead to one more round. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #waiting = new Set<string>();
  readonly #again = new Map<string, NodeJS.Timeout>();
  readonly #failures = new Map<string, number>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  enqueue(key: string): void {
    if (this.#stopped) return;
    this.#waiting.add(key);
    this.#start();
  }

  /** Resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    for (const timer of this.#again.values()) clearTimeout(timer);
    this.#again.clear();
    await this.#running;
  }

  #start(): void {
    if (this.#waiting.size === 0) return;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      // What came between the end of the loop and here would wait for the next change.
      this.#start();
    });
  }

  async #drain(): Promise<void> {
    // One turn later: a burst of events about one thing is one round of work.
    await new Promise((resolve) => setImmediate(resolve));
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      await this.#reconcile(key);
    }
  }

  async #reconcile(key: string): Promise<void> {
    clearTimeout(this.#again.get(key));
    this.#again.delete(key);
    try {
      const pause = await this.#deps.reconcile(key);
      this.#failures.delete(key);
      if (pause !== undefined) this.#later(key, pause);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.#deps.log.verbose(1, 'a controller failed and will try again', { controller: this.#deps.name, key, err: errorText(error) });
      this.#later(key, backoffDelay(RETRY, failures, Math.random()));
    }
  }

  #later(key: string, milliseconds: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#again.get(key));
    this.#again.set(key, setTimeout(() => {
      this.#again.delete(key);
      this.enqueue(key);
    }, Math.min(LONGEST_MS, Math.max(1, milliseconds))));
  }
}
