/** When silence becomes a question and when it becomes an answer. Milliseconds. */
export interface LivenessLimits {
  /** Silence after which a ping goes out. */
  readonly idleMs: number;
  /** Time for its pong. */
  readonly answerMs: number;
  /** Time for one write to reach the kernel. */
  readonly writeMs: number;
}

/** What is known about the other side. Times of one clock, milliseconds. */
export interface Signs {
  /** When something was received last, be it a part of a frame. */
  readonly receivedAt: number;
  /** Pings sent since then. */
  readonly unanswered: number;
  /** When the last of them went. */
  readonly pingedAt: number;
  /** Since when a write hangs. */
  readonly writingSince: number | undefined;
}

export type Verdict =
  | { readonly kind: 'alive'; readonly lookAgainMs: number }
  | { readonly kind: 'ask'; readonly lookAgainMs: number }
  | { readonly kind: 'dead'; readonly why: string };

/** Two pings without a sign of life: one may get lost on the way. */
const MISSED = 2;

/** Decides what to do now. Pure. */
export function judge(signs: Signs, limits: LivenessLimits, now: number): Verdict {
  if (signs.writingSince !== undefined && now - signs.writingSince >= limits.writeMs) {
    return { kind: 'dead', why: `a write was stuck for ${Math.round((now - signs.writingSince) / 1000)} s` };
  }
  if (signs.unanswered === 0) {
    const left = limits.idleMs - (now - signs.receivedAt);
    return left > 0 ? { kind: 'alive', lookAgainMs: left } : { kind: 'ask', lookAgainMs: limits.answerMs };
  }
  const left = limits.answerMs - (now - signs.pingedAt);
  if (left > 0) return { kind: 'alive', lookAgainMs: left };
  if (signs.unanswered < MISSED) return { kind: 'ask', lookAgainMs: limits.answerMs };
  return { kind: 'dead', why: `nothing came for ${Math.round((now - signs.receivedAt) / 1000)} s, ${MISSED} pings were not answered` };
}

const IDLE_MS = 3000;
const SHORTEST_ANSWER_MS = 2000;
const LONGEST_ANSWER_MS = 10_000;

/**
 * Limits for a line with the given round trip. A dead line is noticed after 7 s on a quick line, so that the link is open
 * again within 10 s of the path's return whatever happened before, and after 23 s on the slowest.
 */
export function livenessLimits(roundTripMs: number | undefined, writeMs: number): LivenessLimits {
  const answerMs = Math.min(LONGEST_ANSWER_MS, Math.max(SHORTEST_ANSWER_MS, (roundTripMs ?? 0) * 5));
  return { idleMs: IDLE_MS, answerMs, writeMs };
}
