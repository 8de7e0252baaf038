import { backoffDelay, type Backoff } from '@edge/core';

/** Pause before an object that pods refer to and the cloud does not have is asked for again. */
const MISSING: Backoff = { firstMs: 60_000, factor: 2, limitMs: 600_000, jitter: 0 };

/** What is known of one referenced object. */
export interface Referenced {
  readonly resource: string;
  readonly stored: boolean;
  /** The cloud has spoken of it in this session. */
  readonly confirmed: boolean;
  /** Questions in this session that found nothing, and when the last one was. */
  readonly misses: number;
  readonly lastMiss: number;
}

/**
 * Which objects to ask for now: those not yet confirmed in this session, and from time to time those that are missing,
 * because nobody tells the node when a deleted ConfigMap is made anew. What pods wait for comes first.
 */
export function planRefresh(references: readonly Referenced[], now: number): string[] {
  const due = references.filter((one) =>
    one.stored ? !one.confirmed : one.misses === 0 || now >= one.lastMiss + backoffDelay(MISSING, one.misses - 1, 0),
  );
  return due.sort((one, other) => Number(one.stored) - Number(other.stored)).map((one) => one.resource);
}
