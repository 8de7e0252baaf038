interface Known {
  readonly at: number;
  readonly total: number;
  readonly rate: number;
}

/** Closer together, two counts say more about the clock than about the use. */
const LEAST_MS = 500;

/** Turns processor time that only grows into use per second, between one sample and the next. */
export class Rates {
  #known = new Map<string, Known>();
  #asked = new Map<string, Known>();

  /**
   * @param total nanoseconds until now
   * @param since when it began, milliseconds since the epoch: without an earlier count its whole life is the window
   * @returns nanoseconds per second
   */
  of(key: string, total: number, at: number, since: number): number {
    const before = this.#known.get(key);
    // Less than before: another one with the same name, such as a container that was restarted.
    const usable = before !== undefined && total >= before.total;
    let next: Known;
    if (usable && at - before.at < LEAST_MS) next = before;
    else {
      const window = usable ? at - before.at : Math.max(at - since, LEAST_MS);
      next = { at, total, rate: Math.round(((total - (usable ? before.total : 0)) * 1000) / window) };
    }
    this.#asked.set(key, next);
    return next.rate;
  }

  /** Forgets what was not asked for since the last call. */
  forgetOthers(): void {
    this.#known = this.#asked;
    this.#asked = new Map();
  }
}
