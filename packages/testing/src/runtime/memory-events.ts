import type { RuntimeEvent } from '@edge/core';
import type { MemoryHost } from './memory-host.js';

/** Events of the host from this call on until the signal aborts. */
export function memoryEvents(host: MemoryHost, signal: AbortSignal): AsyncIterable<RuntimeEvent> {
  const queue: RuntimeEvent[] = [];
  let wake: () => void = () => undefined;
  const reader = (event: RuntimeEvent): void => {
    queue.push(event);
    wake();
  };
  const stop = (): void => {
    host.readers.delete(reader);
    wake();
  };
  if (!signal.aborted) {
    host.readers.add(reader);
    signal.addEventListener('abort', stop, { once: true });
  }
  return {
    async *[Symbol.asyncIterator]() {
      try {
        while (!signal.aborted) {
          const event = queue.shift();
          if (event) yield event;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        signal.removeEventListener('abort', stop);
        host.readers.delete(reader);
      }
    },
  };
}
