/** A signal for one call. It has to be disposed of. */
export interface Limit extends Disposable {
  readonly signal: AbortSignal;
  /** True when it was the time that ended the call. */
  readonly timedOut: boolean;
}

/**
 * A signal that aborts with another one or after a time. Not `AbortSignal.any`: what that one hangs on a signal that
 * lives as long as the agent stays there.
 */
export function limit(signal: AbortSignal, timeoutMs: number | undefined): Limit {
  const controller = new AbortController();
  let timedOut = false;
  const onAbort = (): void => controller.abort(signal.reason);
  const onTime = (): void => {
    timedOut = true;
    controller.abort();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTime, timeoutMs);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    get timedOut() {
      return timedOut;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
