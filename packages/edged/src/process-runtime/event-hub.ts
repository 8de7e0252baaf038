import type { RuntimeEvent } from '@edge/core';

/** A reader that does not read loses the oldest events; it lists from time to time anyway. */
const QUEUE_LIMIT = 4096;

/** Gives each event to every reader. */
export class EventHub {
  readonly #readers = new Set<(event: RuntimeEvent) => void>();

  emit(event: RuntimeEvent): void {
    for (const reader of this.#readers) reader(event);
  }

  /** Events from this call on, also before the first is asked for, until the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const queue: RuntimeEvent[] = [];
    let wake: () => void = () => undefined;
    const reader = (event: RuntimeEvent): void => {
      if (queue.push(event) > QUEUE_LIMIT) queue.shift();
      wake();
    };
    const onAbort = (): void => {
      this.#readers.delete(reader);
      wake();
    };
    if (!signal.aborted) {
      this.#readers.add(reader);
      signal.addEventListener('abort', onAbort, { once: true });
    }
    const stop = (): void => {
      signal.removeEventListener('abort', onAbort);
      this.#readers.delete(reader);
    };
    return {
      async *[Symbol.asyncIterator]() {
        try {
          while (!signal.aborted) {
            const event = queue.shift();
            if (event) yield event;
            else await new Promise<void>((resolve) => (wake = resolve));
          }
        } finally {
          stop();
        }
      },
    };
  }
}
