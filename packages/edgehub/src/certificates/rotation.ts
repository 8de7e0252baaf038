import type { Backoff } from '@edge/core';

/** Pauses between tries to enrol or renew: upstream's numbers. */
export const ENROL_BACKOFF: Backoff = { firstMs: 2000, factor: 2, limitMs: 32_000, jitter: 0.1 };

const DAY = 86_400_000;
const WARN_DAYS: readonly number[] = [7, 14, 30];

/** A certificate's life, milliseconds since the epoch. */
export interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** When to renew: after 70 to 90 % of the life, spread so that a fleet that joined together does not renew together. */
export function renewalTime(life: Life, random: number): number {
  return life.notBefore + (life.notAfter - life.notBefore) * (0.7 + 0.2 * random);
}

/** The smallest of 7, 14, 30 days that the rest of the life has fallen below; undefined when there is time, or when the life is shorter than that anyway. */
export function expiryWarning(life: Life, now: number): number | undefined {
  return WARN_DAYS.find((days) => life.notAfter - now < days * DAY && life.notAfter - life.notBefore > days * DAY);
}
