import { isAbort } from '@edge/core';

/** Work that goes on beside the messages. A failure that is no outcome of a job ends the module, which begins anew where the jobs were. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #fail: (error: unknown) => void = () => undefined;
  readonly #failed = new Promise<never>((_, reject) => (this.#fail = reject));

  constructor() {
    this.#failed.catch(() => undefined);
  }

  start(work: (signal: AbortSignal) => Promise<void>): void {
    const running = work(this.#stop.signal).catch((error: unknown) => {
      if (!isAbort(error) || !this.#stop.signal.aborted) this.#fail(error);
    });
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  /** Resolves when the signal has aborted and all work has returned; rejects with the first failure. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await Promise.race([aborted, this.#failed]);
    } finally {
      this.#stop.abort(signal.reason);
      await Promise.allSettled(this.#running);
    }
  }
}
