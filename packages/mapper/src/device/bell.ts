import { pause } from '../time.js';

/** Ends a sleep early. Rung while nobody sleeps, it ends the next sleep at once. */
export class Bell {
  #sleep = new AbortController();

  ring(): void {
    this.#sleep.abort();
  }

  /** Sleeps until the bell rings or the time is over. */
  async sleep(milliseconds: number): Promise<void> {
    const { signal } = this.#sleep;
    if (!signal.aborted && milliseconds > 0) await pause(milliseconds, signal);
    if (signal.aborted) this.#sleep = new AbortController();
  }
}
