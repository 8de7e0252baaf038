import type { OutboxLimits } from '../config.js';

/** The oldest messages of a queue, oldest first. */
export interface Candidate {
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

export interface Drops {
  /** How many of the candidates go, from the oldest on. */
  readonly count: number;
  readonly bytes: number;
  readonly tooOld: number;
}

/** Before this moment no clock of a running node is right: the message was taken before the time was known. */
const PLAUSIBLE = Date.UTC(2024, 0, 1);

/** Which of the oldest messages have to go, because of their age or because all together (`total` bytes) are too large. Pure. */
export function planDrops(oldest: readonly Candidate[], total: number, limits: OutboxLimits, now: number): Drops {
  let bytes = 0;
  let count = 0;
  let tooOld = 0;
  for (const candidate of oldest) {
    const aged = isTooOld(candidate.created, limits, now);
    if (!aged && total - bytes <= limits.maxBytes) break;
    if (aged) tooOld += 1;
    bytes += candidate.bytes;
    count += 1;
  }
  return { count, bytes, tooOld };
}

/** A message taken at 1970 is not 50 years old; it was taken by a node that did not know the time. */
export function isTooOld(created: number, limits: OutboxLimits, now: number): boolean {
  return created >= PLAUSIBLE && now - created > limits.maxAgeSeconds * 1000;
}
