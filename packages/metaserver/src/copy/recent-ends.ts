/** Longer than an answer of the cloud may be on its way. */
const MEMORY_MS = 60_000;
const LIMIT = 10_000;

/** Uids of objects that went a moment ago. What was deleted does not come back under its uid. */
export class RecentEnds {
  readonly #ends = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(uid: string): void {
    if (uid === '') return;
    this.#ends.delete(uid);
    this.#ends.set(uid, this.#now());
    for (const [oldest, at] of this.#ends) {
      if (this.#ends.size <= LIMIT && this.#now() - at < MEMORY_MS) break;
      this.#ends.delete(oldest);
    }
  }

  has(uid: string | undefined): boolean {
    const at = this.#ends.get(uid ?? '');
    return at !== undefined && this.#now() - at < MEMORY_MS;
  }
}
