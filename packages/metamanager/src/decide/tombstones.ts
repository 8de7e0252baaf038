/** Uids of deleted pods, the latest few thousand, so that a straggler does not raise one from the dead. */
export class Tombstones {
  readonly #limit: number;
  readonly #uids = new Set<string>();

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  add(uid: string | undefined): void {
    if (!uid) return;
    this.#uids.add(uid);
    if (this.#uids.size <= this.#limit) return;
    const [oldest] = this.#uids;
    if (oldest !== undefined) this.#uids.delete(oldest);
  }

  has(uid: string | undefined): boolean {
    return uid !== undefined && this.#uids.has(uid);
  }
}
