/** Tokens for messages towards the cloud: `qps` a second, at most `burst` saved up. A rate of 0 means no limit. */
export class Throttle {
  readonly #qps: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(qps: number, burst: number, now: number = performance.now()) {
    this.#qps = qps;
    this.#burst = Math.max(1, burst);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  /** Takes one; false when there is none. */
  take(now: number = performance.now()): boolean {
    if (this.#qps === 0) return true;
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes one that may not be there yet: urgent messages go, the others pay. */
  force(now: number = performance.now()): void {
    if (this.#qps === 0) return;
    this.#refill(now);
    this.#tokens = Math.max(-this.#burst, this.#tokens - 1);
  }

  /** Milliseconds until the next one. */
  waitMs(now: number = performance.now()): number {
    if (this.#qps === 0) return 0;
    this.#refill(now);
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#qps) * 1000;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.#qps);
    this.#at = now;
  }
}
