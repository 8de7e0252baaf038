import { abortError } from './errors.js';

/** Node.js fires a timer for more than this at once; here a longer time counts as this one, 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits. Rejects with `core.aborted` when the signal aborts; leaves no timer behind. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, Math.min(milliseconds, LONGEST_TIMER_MS));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** A growing pause: `first`, then times `factor` up to `limit`, each spread by ±`jitter` (0 to 1). */
export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly limitMs: number;
  readonly jitter: number;
}

/** Milliseconds before try number `attempt` (0 is the first repeat). Pure: `random` is in [0, 1). */
export function backoffDelay(backoff: Backoff, attempt: number, random: number): number {
  const plain = Math.min(backoff.limitMs, backoff.firstMs * backoff.factor ** attempt);
  return Math.max(0, plain * (1 + backoff.jitter * (random * 2 - 1)));
}

/** Resolves when the signal aborts, at once when it has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The promise's outcome; after the time it rejects with what `onTimeout` makes, on abort with `core.aborted`. The work itself is not stopped. */
export async function withTimeout<T>(work: Promise<T>, milliseconds: number, onTimeout: () => Error, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(onTimeout()), Math.min(milliseconds, LONGEST_TIMER_MS));
        if (!signal) return;
        onAbort = () => reject(abortError(signal));
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}
