import type { Backoff } from '@edge/core';

/** A broker as the agent sees it: the one in here, or one elsewhere. */
export interface Side {
  /** Serves until the signal aborts. A broker that cannot be had is no error. */
  run(signal: AbortSignal): Promise<void>;
  /** Sends a message to clients; never waits. */
  publish(topic: string, payload: Buffer): void;
  /** The list of topics that the agent listens to has changed. */
  topicsChanged(): void;
}

/** Between tries to reach a broker, or to listen. */
export const RETRY: Backoff = { firstMs: 250, factor: 2, limitMs: 3500, jitter: 0.2 };
