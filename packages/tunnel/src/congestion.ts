/** A receiver of bytes that came through the tunnel, as far as its congestion is concerned. */
export interface Waiting {
  /** Bytes that nobody has taken out yet. */
  readonly waiting: number;
}

/** What stops and starts the flow from the other side, for all sessions together. */
export interface Tap {
  pause(): void;
  resume(): void;
}

/** From so many waiting bytes on the flow is stopped for a receiver; below the lower mark it goes on. */
const HIGH = 1024 * 1024;
const LOW = 512 * 1024;
/** So long the others wait for a receiver that takes nothing; each such pace of `LOW / 8` taken out gives it as long again. */
const PATIENCE_MS = 2000;
const PACE = LOW / 8;

interface Slow {
  /** Milliseconds of the clock given; from then on nobody waits for it. */
  until: number;
  /** Waiting bytes when it last moved by a pace. */
  mark: number;
}

/**
 * Decides when the flow has to stop. The tunnel has no windows of its own: to stop one session is to stop all. So a
 * receiver that is slow but moves slows the others down, and one that does not move stops them only for a moment.
 */
export class Congestion {
  readonly #tap: Tap;
  readonly #now: () => number;
  readonly #slow = new Map<Waiting, Slow>();
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: { tap: Tap; now?: () => number }) {
    this.#tap = deps.tap;
    this.#now = deps.now ?? (() => performance.now());
  }

  /** True while the flow is stopped; the other side's silence says nothing then. */
  get paused(): boolean {
    return this.#paused;
  }

  /** A receiver got more bytes, or took some out. */
  changed(receiver: Waiting): void {
    const { waiting } = receiver;
    const slow = this.#slow.get(receiver);
    if (slow === undefined) {
      if (waiting < HIGH) return;
      this.#slow.set(receiver, { until: this.#now() + PATIENCE_MS, mark: waiting });
    } else if (waiting < LOW) {
      this.#slow.delete(receiver);
    } else if (slow.mark - waiting >= PACE) {
      slow.mark = waiting;
      slow.until = this.#now() + PATIENCE_MS;
    } else {
      slow.mark = Math.max(slow.mark, waiting);
      return;
    }
    this.#apply();
  }

  /** A receiver is gone. */
  forget(receiver: Waiting): void {
    if (this.#slow.delete(receiver)) this.#apply();
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#slow.clear();
    this.#apply();
  }

  #apply(): void {
    clearTimeout(this.#timer);
    const now = this.#now();
    const until = Math.max(0, ...[...this.#slow.values()].map((slow) => slow.until));
    const pause = until > now;
    if (pause) this.#timer = setTimeout(() => this.#apply(), until - now);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#tap.pause();
    else this.#tap.resume();
  }
}
