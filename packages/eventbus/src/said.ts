const KEPT = 100;

/**
 * Keeps a log readable while the same thing happens again and again: each text passes when it is new and then once per
 * period. Bounded, because clients could invent texts.
 */
export class Said {
  readonly #everyMs: number;
  readonly #last = new Map<string, number>();

  constructor(everyMs: number = 600_000) {
    this.#everyMs = everyMs;
  }

  /** True when this should be said now. */
  passes(key: string, now: number = Date.now()): boolean {
    const last = this.#last.get(key);
    if (last !== undefined && now >= last && now - last < this.#everyMs) return false;
    this.#last.delete(key);
    this.#last.set(key, now);
    if (this.#last.size > KEPT) this.#last.delete(this.#last.keys().next().value as string);
    return true;
  }

  /** What was said counts no more: it works again. */
  clear(): void {
    this.#last.clear();
  }
}
