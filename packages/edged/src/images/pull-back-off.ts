/** Seconds after failed pulls: 10, doubling to 300, and from the beginning after ten quiet minutes. */
const FIRST_MS = 10_000;
const LAST_MS = 300_000;

export interface FailedPull {
  /** In a row. */
  readonly failures: number;
  /** No other pull before this time, milliseconds since the epoch. */
  readonly until: number;
  /** Why it failed. */
  readonly text: string;
  /** The pause after it, milliseconds. */
  readonly pauseMs: number;
}

/** Remembers what could not be pulled, by pod and image, so that a registry is not asked without end. */
export class PullBackOff {
  readonly #failed = new Map<string, Map<string, FailedPull>>();

  /** The failure after which the next pull still has to wait. When the clock has been set back nothing has to. */
  pending(uid: string, image: string, now: number): FailedPull | undefined {
    const last = this.#failed.get(uid)?.get(image);
    return last && last.until > now && last.until - now <= last.pauseMs ? last : undefined;
  }

  failed(uid: string, image: string, text: string, now: number): FailedPull {
    const before = this.#failed.get(uid)?.get(image);
    const goesOn = before !== undefined && now - (before.until - before.pauseMs) <= 2 * LAST_MS;
    const pauseMs = goesOn ? Math.min(before.pauseMs * 2, LAST_MS) : FIRST_MS;
    const failure = { failures: goesOn ? before.failures + 1 : 1, until: now + pauseMs, text, pauseMs };
    const ofPod = this.#failed.get(uid) ?? new Map<string, FailedPull>();
    this.#failed.set(uid, ofPod.set(image, failure));
    return failure;
  }

  succeeded(uid: string, image: string): void {
    this.#failed.get(uid)?.delete(image);
  }

  forget(uid: string): void {
    this.#failed.delete(uid);
  }
}
