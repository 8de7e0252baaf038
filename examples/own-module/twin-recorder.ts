import { appendFile } from 'node:fs/promises';
import { untilAborted, type Life, type Logger, type Runnable } from '@edge/core';
import { createResponse, type Message } from '@edge/protocol';
import type { RecorderConfig } from './config.js';

/** Hears all that a device twin is told, writes it down, and says that it has it. */
export class TwinRecorder implements Runnable {
  readonly #file: string;
  readonly #log: Logger;

  constructor(deps: { config: RecorderConfig; log: Logger }) {
    this.#file = deps.config.file;
    this.#log = deps.log.named('twin-recorder');
  }

  /** Its life: it has nothing to open and nothing to close, so it is ready at once and ends when it is told to. */
  async run(life: Life): Promise<void> {
    this.#log.info('recording', { file: this.#file });
    life.ready();
    await untilAborted(life.signal);
  }

  /** Whoever waits for an answer is answered when the line is written; a file that cannot be written is the answer to them, too. */
  async record(message: Message): Promise<Message> {
    const { source, operation, resource } = message.route;
    await appendFile(this.#file, `${JSON.stringify({ source, operation, resource, content: message.content })}\n`);
    return createResponse(message, 'OK');
  }
}
