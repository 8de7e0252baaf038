import { withTimeout } from '@edge/core';

/** Lets calls about the same thing happen one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when all earlier work about `key` is over; `waitMs` is longer than any of it takes. */
  async run<T>(key: string, work: () => Promise<T>, waitMs: number, signal?: AbortSignal): Promise<T> {
    const earlier = this.#last.get(key) ?? Promise.resolve();
    const own = withTimeout(earlier, waitMs, () => new Error(`the work on ${key} before this one did not end`), signal).then(work);
    const over = Promise.allSettled([earlier, own]);
    this.#last.set(key, over);
    try {
      return await own;
    } finally {
      void over.then(() => this.#last.get(key) === over && this.#last.delete(key));
    }
  }
}
