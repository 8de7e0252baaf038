import { errorText, isAbort, sleep, type ContainerRuntime, type Logger, type RuntimeEvent } from '@edge/core';

const PAUSE_MS = 5_000;

/** Hands on what the runtime tells until the signal aborts; a stream that breaks off is opened again. Returns at once when there is none. */
export async function followEvents(runtime: ContainerRuntime, onEvent: (event: RuntimeEvent) => void, log: Logger, signal: AbortSignal): Promise<void> {
  while (runtime.events && !signal.aborted) {
    try {
      for await (const event of runtime.events(signal)) onEvent(event);
    } catch (error) {
      if (isAbort(error)) return;
      log.warn('events of the runtime broke off; the listing goes on', { err: errorText(error) });
    }
    await sleep(PAUSE_MS, signal);
  }
}
