import { sleep } from '@edge/core';

/** Lets so many pass at once and then so many per second; those that come too early wait. */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #burst: number;
  /** When the next one could pass if none might pass early. */
  #next = 0;

  /** @param perSecond 0 for no limit */
  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#intervalMs = perSecond > 0 ? 1_000 / perSecond : 0;
    this.#burst = Math.max(1, burst);
  }

  async pass(signal: AbortSignal): Promise<void> {
    if (this.#intervalMs === 0) return;
    const now = performance.now();
    const mine = Math.max(now, this.#next);
    this.#next = mine + this.#intervalMs;
    const waitMs = mine - (this.#burst - 1) * this.#intervalMs - now;
    if (waitMs > 0) await sleep(waitMs, signal);
  }
}
