import type { Life, Logger, Runnable } from '@edge/core';
import { createResponse, type Message } from '@edge/protocol';

/** The servicebus module: its life is this one promise. */
export class Servicebus implements Runnable {
  readonly #log: Logger;

  constructor(deps: { log: Logger }) {
    this.#log = deps.log;
  }

  async run(life: Life): Promise<void> {
    this.#log.info('servicebus serves');
    life.ready();
    await new Promise<void>((resolve) => life.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  greet(question: Message): Message {
    return createResponse(question, 'hello');
  }
}
