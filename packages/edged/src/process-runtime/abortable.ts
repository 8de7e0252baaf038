import { abortError } from '@edge/core';

/** Waits for work that goes on by itself; gives the wait up when the signal aborts. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  // When nobody waits any more its failure is nobody's business.
  work.catch(() => undefined);
  if (signal.aborted) throw abortError(signal);
  const { promise, stop } = rejectOnAbort(signal);
  try {
    return await Promise.race([work, promise]);
  } finally {
    stop();
  }
}

function rejectOnAbort(signal: AbortSignal): { promise: Promise<never>; stop: () => void } {
  let onAbort: () => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return { promise, stop: () => signal.removeEventListener('abort', onAbort) };
}
