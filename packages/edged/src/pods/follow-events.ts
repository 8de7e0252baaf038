import { errorText, isAbort, sleep, type ContainerRuntime, type Logger, type RuntimeEvent } from '@edge/core';

const PAUSE_MS = 5_000;

/** Hands on what the runtime tells until the signal aborts; a stream that breaks off is opened again. Returns at once when there is none. */
export async function followEvents(runtime: ContainerRuntime, onEvent: (event: RuntimeEvent) => void, log: Logger, signal: AbortSignal): Promise<void> {
  let told = false;
  while (runtime.events && !signal.aborted) {
    const began = performance.now();
    try {
      for await (const event of runtime.events(signal)) onEvent(event);
    } catch (error) {
      if (isAbort(error)) return;
      // During an outage no other stream opens; once is enough.
      if (performance.now() - began > PAUSE_MS) told = false;
      if (!told) log.warn('events of the runtime broke off; the listing goes on', { err: errorText(error) });
      told = true;
    }
    await sleep(PAUSE_MS, signal);
  }
}
