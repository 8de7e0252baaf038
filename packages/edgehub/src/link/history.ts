import { looksLikeNameConflict, nameConflictText, unansweredText, type PastSession } from '../diagnosis/session-trouble.js';
import type { SessionEnd } from './session.js';

const KEPT = 10;
/** A session that lived so long was a good one. */
const GOOD_MS = 5000;
/** Upstream's node lifecycle gives a lease 40 s. */
const UNANSWERED_MS = 40_000;
const UNANSWERED_LIMIT_MS = 320_000;

/** What the last sessions teach about the next one. */
export class History {
  readonly #node: string;
  readonly #past: PastSession[] = [];
  #failures = 0;
  #unanswered = 0;

  constructor(node: string) {
    this.#node = node;
  }

  /** Attempts and short sessions since the last good one. */
  get failures(): number {
    return this.#failures;
  }

  /** How long the next session waits for the cloud's first word; grows while the cloud stays mute. */
  get unansweredLimitMs(): number {
    return Math.min(UNANSWERED_LIMIT_MS, UNANSWERED_MS * 2 ** this.#unanswered);
  }

  failed(): void {
    this.#failures += 1;
  }

  /** The cloud said something: it has accepted us. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** A session has ended. Returns what is wrong when the sessions together show it. */
  ended(openedAt: number, end: SessionEnd, now: number = Date.now()): string | undefined {
    // A lost session is followed by a try at once. One that the cloud ended soon counts as a failed attempt.
    this.#failures = now - openedAt >= GOOD_MS || end.by !== 'cloud' ? 0 : this.#failures + 1;
    this.#past.push({ openedAt, endedAt: now, closedByCloud: end.by === 'cloud' });
    if (this.#past.length > KEPT) this.#past.shift();
    if (end.by === 'unanswered') {
      const waited = this.unansweredLimitMs / 1000;
      this.#unanswered += 1;
      return unansweredText(this.#node, waited);
    }
    return looksLikeNameConflict(this.#past, now) ? nameConflictText(this.#node) : undefined;
  }
}
