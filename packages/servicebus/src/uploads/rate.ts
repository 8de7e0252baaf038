/** So many a second in the long run, twice as many at once after a quiet time. */
export class Rate {
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, now: number = performance.now()) {
    this.#perSecond = perSecond;
    this.#left = perSecond * 2;
    this.#at = now;
  }

  /** False when it is one too many. @param now milliseconds of a clock that never goes back */
  take(now: number = performance.now()): boolean {
    this.#left = Math.min(this.#perSecond * 2, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
