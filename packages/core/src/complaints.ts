const KEPT = 100;

/**
 * Keeps a log readable while the same thing goes wrong again and again: each text passes when it is new and then once
 * per period. Bounded, because a hostile peer could invent texts.
 */
export class Complaints {
  readonly #everyMs: number;
  readonly #said = new Map<string, number>();

  /** @param everyMs milliseconds; ten minutes unless given */
  constructor(everyMs: number = 600_000) {
    this.#everyMs = everyMs;
  }

  /** True when this should be said now. */
  passes(key: string, now: number = Date.now()): boolean {
    const last = this.#said.get(key);
    if (last !== undefined && now >= last && now - last < this.#everyMs) return false;
    this.#said.delete(key);
    this.#said.set(key, now);
    if (this.#said.size > KEPT) this.#said.delete(this.#said.keys().next().value as string);
    return true;
  }

  /** What was said counts no more: it works again. */
  clear(): void {
    this.#said.clear();
  }
}
