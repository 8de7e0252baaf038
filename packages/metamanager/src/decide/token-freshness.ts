import { issuedAt } from '../tokens/stored-token.js';
import type { TokenRequest } from '../values/token-key.js';

const DAY_MS = 24 * 3600 * 1000;
/** Share of its life after which a token is renewed. */
const RENEW_AFTER = 0.8;
/** Share of that time by which a renewal may come earlier, so that tokens of one start do not all come at once. */
const SPREAD = 0.1;

/** `fresh`: use it. `stale`: still valid, ask for a new one. `expired`: better than nothing while there is no cloud. `useless`: no token at all. */
export type TokenState = 'fresh' | 'stale' | 'expired' | 'useless';

/**
 * Judges a stored token: stale when less than a fifth of its life is left or when it is older than a day, a little
 * earlier with `spread`.
 * @param spread as for `renewAt`
 */
export function tokenState(stored: TokenRequest, now: number, spread: number = 0): TokenState {
  if (!stored.status?.token) return 'useless';
  const end = endOf(stored);
  if (end === undefined) return 'fresh';
  if (now >= end) return 'expired';
  return now > renewAt(stored, spread) ? 'stale' : 'fresh';
}

/**
 * When a new one is to be asked for, milliseconds since 1970; never (Infinity) for one that does not say when it ends.
 * @param spread from 0 (at four fifths of its life) to 1 (at 72 %)
 */
export function renewAt(stored: TokenRequest, spread: number): number {
  const end = endOf(stored);
  if (end === undefined) return Infinity;
  const issued = issuedAt(stored);
  return issued + Math.min((end - issued) * RENEW_AFTER, DAY_MS) * (1 - SPREAD * spread);
}

/** Undefined when the token does not say how long it lives. */
function endOf({ spec, status }: TokenRequest): number | undefined {
  const end = Date.parse(status?.expirationTimestamp ?? '');
  return (spec?.expirationSeconds ?? 0) <= 0 || Number.isNaN(end) ? undefined : end;
}
