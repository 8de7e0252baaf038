import type { TokenRequest } from '../values/token-key.js';

const DAY_MS = 24 * 3600 * 1000;
/** Share of its life after which a token is renewed. */
const RENEW_AFTER = 0.8;

/** `fresh`: use it. `stale`: still valid, ask for a new one. `expired`: better than nothing while there is no cloud. `useless`: no token at all. */
export type TokenState = 'fresh' | 'stale' | 'expired' | 'useless';

/** Judges a stored token: stale when less than a fifth of its life is left or when it is older than a day. */
export function tokenState(stored: TokenRequest, now: number): TokenState {
  const { token, expirationTimestamp } = stored.status ?? {};
  if (!token) return 'useless';
  const life = (stored.spec?.expirationSeconds ?? 0) * 1000;
  const end = Date.parse(expirationTimestamp ?? '');
  if (life <= 0 || Number.isNaN(end)) return 'fresh';
  if (now >= end) return 'expired';
  const issued = end - life;
  return now > issued + life * RENEW_AFTER || now > issued + DAY_MS ? 'stale' : 'fresh';
}
