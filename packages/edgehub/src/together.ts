import { linkedAbort } from './linked-abort.js';

/**
 * Runs tasks that belong together: the first that ends, well or not, ends them all. Resolves or rejects as that one
 * did, after all have returned.
 */
export async function together(signal: AbortSignal, ...tasks: readonly ((signal: AbortSignal) => Promise<void>)[]): Promise<void> {
  using over = linkedAbort(signal);
  const running = tasks.map((task) => task(over.signal));
  try {
    await Promise.race(running);
  } finally {
    over.abort();
    await Promise.allSettled(running);
  }
}
