/** How many pings are remembered; older ones are not measured. */
const REMEMBERED = 2048;
/** Samples before the smallest one is looked for anew: the line may have changed. */
const EPOCH = 1000;

/** Measures the round trip by pings. Milliseconds. */
export class RoundTrip {
  readonly #sent = new Map<number, number>();
  #smooth: number | undefined;
  #least = Infinity;
  #leastBefore = Infinity;
  #samples = 0;

  /** Smoothed over the last few. */
  get smooth(): number | undefined {
    return this.#smooth;
  }

  /** The shortest seen lately: the line without queues. */
  get least(): number | undefined {
    const least = Math.min(this.#least, this.#leastBefore);
    return Number.isFinite(least) ? least : undefined;
  }

  sent(id: number, now: number): void {
    this.#sent.set(id, now);
    if (this.#sent.size > REMEMBERED) this.#sent.delete(this.#sent.keys().next().value as number);
  }

  /** False for a pong that answers no ping of ours. */
  answered(id: number, now: number): boolean {
    const at = this.#sent.get(id);
    if (at === undefined) return false;
    // Pongs come in order, and one may stand for all pings before it.
    for (const earlier of this.#sent.keys()) {
      this.#sent.delete(earlier);
      if (earlier === id) break;
    }
    const sample = now - at;
    this.#smooth = this.#smooth === undefined ? sample : this.#smooth + (sample - this.#smooth) / 8;
    this.#samples += 1;
    if (this.#samples % EPOCH === 0) {
      this.#leastBefore = this.#least;
      this.#least = Infinity;
    }
    this.#least = Math.min(this.#least, sample);
    return true;
  }
}
