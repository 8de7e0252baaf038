/** One finished session, for looking back. Milliseconds since the epoch. */
export interface PastSession {
  readonly openedAt: number;
  readonly endedAt: number;
  /** The other side closed it; neither we nor silence did. */
  readonly closedByCloud: boolean;
}

/** Sessions shorter than this look as if somebody else took the name over. */
const SHORT_MS = 10_000;
const WITHIN_MS = 120_000;
const TIMES = 3;

/**
 * CloudHub keeps one session per node name and closes the older one. Two agents with one name push each other out,
 * so each sees its sessions closed again and again shortly after they opened.
 */
export function looksLikeNameConflict(past: readonly PastSession[], now: number): boolean {
  const short = past.filter(({ openedAt, endedAt, closedByCloud }) => closedByCloud && endedAt - openedAt < SHORT_MS && now - endedAt < WITHIN_MS);
  return short.length >= TIMES;
}

export function nameConflictText(node: string): string {
  return `the cloud closed the link ${TIMES} times right after it was opened: most likely another machine runs with the same node name "${node}" (modules.edged.hostnameOverride) and the two push each other out; give one of them another name`;
}

/** What may be behind a link that is open while nothing is answered. CloudHub does not tell which. */
export function unansweredText(node: string, seconds: number): string {
  return `the link is open, but for ${seconds} s the cloud answered nothing: the node limit of CloudHub may be reached (cloudHub.nodeLimit), its authorization may have rejected node "${node}" (cloudHub.authorization), or it cannot reach its API server; the log of CloudCore says which. The link is opened anew`;
}
