import { MapperError, MapperErrors } from './errors.js';

/** Node.js fires a timer for more than this at once; a longer time counts as this one, 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds since some fixed moment; unlike the clock of the machine it never jumps. */
export function now(): number {
  return performance.now();
}

/** The pause before try number `attempt` (0 is the first repeat): doubled each time up to the limit, spread by a quarter. */
export function growingPause(pause: { readonly firstMs: number; readonly limitMs: number }, attempt: number, random = Math.random()): number {
  return Math.min(pause.limitMs, pause.firstMs * 2 ** Math.min(attempt, 30)) * (0.75 + random / 2);
}

/** Waits; resolves at once when the signal aborts. Leaves no timer behind. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER_MS));
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * The outcome of `work`, which gets a signal that aborts when nobody waits for it any more.
 * @throws MapperError what `late` makes when the time is over, `mapper.stopped` when `life` aborts
 */
export async function within<T>(work: (signal: AbortSignal) => T | Promise<T>, milliseconds: number, life: AbortSignal, late: () => MapperError): Promise<T> {
  if (life.aborted) throw stopped();
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const running = (async () => await work(controller.signal))();
  try {
    return await Promise.race([
      running,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), Math.min(milliseconds, LONGEST_TIMER_MS));
        onAbort = () => reject(stopped());
        life.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (onAbort) life.removeEventListener('abort', onAbort);
    // What still runs learns that it is alone; how it ends matters to nobody.
    running.catch(() => undefined);
    controller.abort();
  }
}

function stopped(): MapperError {
  return new MapperError(MapperErrors.stopped, 'the mapper was stopped');
}
