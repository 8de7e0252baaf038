/** When a line to the cloud may speak again, Unix milliseconds: with something new to say, and with the same once more. */
export interface Pause {
  readonly fresh: number;
  readonly same: number;
}

const FIRST_MS = 1000;
const LONGEST_FRESH_MS = 30_000;
const LONGEST_SAME_MS = 600_000;

export const NO_PAUSE: Pause = { fresh: 0, same: 0 };

/**
 * The pause after so many unanswered messages in a row, 1 or more. The cloud does not answer for devices that it does not
 * know, when its API refuses a status, and, with some API servers, on the first report of a property; there the second one
 * helps, so after one silence news may go at once.
 */
export function pauseAfter(silences: number, now: number): Pause {
  const pause = FIRST_MS * 2 ** Math.min(silences - 1, 20);
  return { fresh: silences <= 1 ? now : now + Math.min(LONGEST_FRESH_MS, pause), same: now + Math.min(LONGEST_SAME_MS, pause) };
}
