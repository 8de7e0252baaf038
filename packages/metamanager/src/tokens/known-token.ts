import { createHash, timingSafeEqual } from 'node:crypto';
import type { TokenRequest } from '../values/token-key.js';

/**
 * Whether that very token is among the stored ones and has not expired. Compares digests in constant time and looks at
 * every row, so that the time it takes tells nothing about a token that is stored. Pure.
 */
export function isKnownToken(token: string, stored: Iterable<TokenRequest>, now: number): boolean {
  const asked = digest(token);
  let isKnown = false;
  for (const { status } of stored) {
    if (!status?.token || !timingSafeEqual(asked, digest(status.token))) continue;
    const end = Date.parse(status.expirationTimestamp ?? '');
    isKnown ||= Number.isNaN(end) || now < end;
  }
  return isKnown;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
