import { createHash } from 'node:crypto';
import type { StoredToken } from '../tokens/stored-token.js';
import { renewAt, tokenState, type TokenState } from './token-freshness.js';

/** How long an expired one of a pod stays whose row is not there: a damaged database gets its pods back from the cloud. */
const GRACE_MS = 24 * 3600 * 1000;

export interface RenewalPlan {
  /** To be renewed now, those that end first in front. */
  readonly due: readonly StoredToken[];
  /** Keys of those that have ended and that nothing on the node needs. */
  readonly over: readonly string[];
  /** When the next one is due, milliseconds since 1970; Infinity when none is. */
  readonly nextAt: number;
}

/**
 * What to do about the stored tokens. Those in volumes are renewed while their pod is on the node, whether or not
 * anybody asks; all others serve until they end. An expired one of a pod stays until there is a new one.
 * @param pods uids of the pods on the node
 */
export function planRenewals(tokens: Iterable<StoredToken>, pods: ReadonlySet<string>, now: number): RenewalPlan {
  const due: StoredToken[] = [];
  const over: string[] = [];
  let nextAt = Infinity;
  for (const token of tokens) {
    const bound = token.asked.spec?.boundObjectRef;
    const isNeeded = token.isMounted && bound?.kind === 'Pod' && pods.has(bound.uid ?? '');
    if (!isNeeded) {
      if (stateOf(token, now) === 'expired' && now > endOf(token) + (token.isMounted ? GRACE_MS : 0)) over.push(token.key);
      continue;
    }
    const at = token.isExposed ? 0 : renewAt(token.answer, spreadOf(token.key));
    if (at < now) due.push(token);
    else nextAt = Math.min(nextAt, at);
  }
  return { due: due.sort((one, other) => endOf(one) - endOf(other)), over, nextAt };
}

/** The state in which whoever asks for a token finds it. */
export function stateOf(token: StoredToken, now: number): TokenState {
  const state = tokenState(token.answer, now, spreadOf(token.key));
  return state === 'fresh' && token.isExposed ? 'stale' : state;
}

/** From 0 to 1, always the same for one key: a restart does not deal anew. */
function spreadOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE() / 2 ** 32;
}

function endOf({ answer }: StoredToken): number {
  return Date.parse(answer.status?.expirationTimestamp ?? '') || 0;
}
