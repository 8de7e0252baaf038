/** Runs work in order per key and side by side between keys. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();
  #running = 0;

  /** How many pieces of work have been given and are not done. */
  get running(): number {
    return this.#running;
  }

  /** `work` must not reject. */
  run(key: string, work: () => Promise<void>): Promise<void> {
    this.#running += 1;
    const before = this.#tails.get(key);
    const mine = (before ? before.then(work) : work()).finally(() => {
      this.#running -= 1;
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    });
    this.#tails.set(key, mine);
    return mine;
  }
}
