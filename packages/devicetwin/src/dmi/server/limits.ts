/** How much one mapper may ask. */
export interface CallLimits {
  /** Calls a second in the long run. */
  readonly callsPerSecond: number;
  /** Calls at once after a quiet time. */
  readonly burst: number;
}

/** Calls of one mapper that may wait for the disk at a time; a mapper that asks for more is too fast for it. */
const MOST_UNDER_WAY = 512;
/** Callers that are remembered; forgetting one gives it a full burst again. */
const MOST_CALLERS = 1024;

interface Bucket {
  tokens: number;
  at: number;
  underWay: number;
}

/** One bucket for each caller, so that nobody is refused because of another's calls. */
export class Limiter {
  readonly #limits: CallLimits;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: CallLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Takes a place for a call, to be given back by disposing; undefined when the caller has used up what it may. */
  enter(caller: string): Disposable | undefined {
    const bucket = this.#bucket(caller);
    const now = this.#now();
    bucket.tokens = Math.min(this.#limits.burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#limits.callsPerSecond);
    bucket.at = now;
    if (bucket.tokens < 1 || bucket.underWay >= MOST_UNDER_WAY) return undefined;
    bucket.tokens -= 1;
    bucket.underWay += 1;
    return { [Symbol.dispose]: () => void (bucket.underWay -= 1) };
  }

  #bucket(caller: string): Bucket {
    const known = this.#buckets.get(caller);
    // The one used last is the last in the map.
    this.#buckets.delete(caller);
    const bucket = known ?? { tokens: this.#limits.burst, at: this.#now(), underWay: 0 };
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MOST_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket;
  }
}
