import type { Logger } from '@edge/core';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Aborts at the first signal to stop. A second one ends the process at once with code 1: whoever sends it has waited
 * long enough. Dispose to let go of the signals.
 */
export function stopOnSignals(stop: AbortController, log: Logger): Disposable {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      log.warn('second signal: ending at once', { signal });
      process.exit(1);
    }
    log.info('stopping on signal', { signal });
    stop.abort();
  };
  // The parent of `edgecore dev` holds this channel open; when it is gone, so is the reason to run.
  const onDisconnect = (): void => stop.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  process.on('disconnect', onDisconnect);
  return {
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.off('disconnect', onDisconnect);
    },
  };
}
