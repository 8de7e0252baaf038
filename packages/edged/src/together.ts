import { setMaxListeners } from 'node:events';
import { isAbort } from '@edge/core';

/** A part of something that runs; undefined for one that has nothing to do. */
export type Part = (signal: AbortSignal) => Promise<void> | undefined;

/** Runs all until the signal aborts; when one fails the others are stopped and the failure is thrown. One that returns stops no other. */
export async function together(signal: AbortSignal, parts: readonly Part[]): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  setMaxListeners(0, either);
  const results = await Promise.allSettled(
    parts.map(async (part) => {
      try {
        await part(either);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  for (const result of results) {
    if (result.status === 'rejected' && !isAbort(result.reason)) throw result.reason;
  }
}

/** Aborts when the other signal has and what comes in between is done. */
export function afterwards(signal: AbortSignal, last: () => Promise<void> | undefined): AbortSignal {
  const controller = new AbortController();
  const end = (): void => void Promise.resolve(last()).finally(() => controller.abort(signal.reason));
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return controller.signal;
}
