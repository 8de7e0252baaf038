import { vi } from 'vitest';

/** The timers of the machine, taken before others are put in their place. */
const { setTimeout: realTimeout, setInterval: realInterval, clearInterval: clearRealInterval } = globalThis;
const realNow = performance.now.bind(performance);

/** How far time goes on at once: short enough that nothing is late, long enough that minutes pass in seconds. */
const STEP_MS = 1000;
const TICK_MS = 5;
/** Silence after a step that means that the agent has done what was due; real time. */
const STILL_MS = 12;

/**
 * The time of the recording for everything in this process that asks for the time or waits: it goes on as the time of
 * the machine does, and quickly where the recording has a gap.
 */
export class PlayedTime implements Disposable {
  readonly #ticker: NodeJS.Timeout;

  /** @param now Unix ms at which it begins */
  constructor(now: number) {
    vi.useFakeTimers({ now, toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    let last = realNow();
    this.#ticker = realInterval(() => {
      const present = realNow();
      vi.advanceTimersByTime(Math.max(0, Math.round(present - last)));
      last = present;
    }, TICK_MS);
  }

  /**
   * Lets the time pass until then. Time never goes back.
   * @param done grows while the agent is at work
   */
  async goOnTo(at: number, done: () => number): Promise<void> {
    while (Date.now() < at) {
      await vi.advanceTimersByTimeAsync(Math.min(STEP_MS, at - Date.now()));
      for (let before = -1; before !== done(); ) {
        before = done();
        await realPause(STILL_MS);
      }
    }
  }

  [Symbol.dispose](): void {
    clearRealInterval(this.#ticker);
    vi.useRealTimers();
  }
}

/** Waits in the time of the machine. */
export function realPause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => realTimeout(resolve, milliseconds));
}

/** Waits in the time of the machine until it is so; the error says what is not. */
export async function eventually(what: string, fits: () => boolean, timeoutMs = 30_000): Promise<void> {
  const end = realNow() + timeoutMs;
  while (!fits()) {
    if (realNow() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await realPause(20);
  }
}
