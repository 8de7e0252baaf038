import { setMaxListeners } from 'node:events';
import { type Complaints, errorCode, errorText, type EdgeError, type Logger, type MessageBus } from '@edge/core';
import { Operations, type Message } from '@edge/protocol';
import { eventBusError } from './errors.js';

/** Questions under way at a time: enough to fill group commits, less than the places of a lane. */
const IN_FLIGHT = 512;

interface Waiting {
  readonly message: Message;
  readonly mustArrive: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One way on the bus: in order, many under way, not too many. */
export class Pipe {
  readonly #deps: { readonly bus: MessageBus; readonly log: Logger; readonly said: Complaints; readonly signal: AbortSignal; readonly group: string };
  #waiting: Waiting[] = [];
  #head = 0;
  #inFlight = 0;
  #dropped = 0;

  constructor(deps: { bus: MessageBus; log: Logger; said: Complaints; signal: AbortSignal; group: string }) {
    this.#deps = deps;
    // Each question under way listens to it.
    setMaxListeners(0, deps.signal);
  }

  /** Resolves when it arrived (`mustArrive`) or is under way. */
  put(message: Message, mustArrive: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, mustArrive, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < IN_FLIGHT && this.#head < this.#waiting.length) {
      const next = this.#waiting[this.#head] as Waiting;
      this.#head += 1;
      if (this.#head === this.#waiting.length || this.#head >= 1024) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
      this.#inFlight += 1;
      this.#pass(next).then(next.resolve, next.reject).finally(() => {
        this.#inFlight -= 1;
        this.#pump();
      });
    }
  }

  async #pass({ message, mustArrive }: Waiting): Promise<void> {
    const { bus, log, said, signal, group } = this.#deps;
    if (!bus.reaches({ group })) {
      if (said.passes(`no ${group}`, 0)) log.warn('messages for a group that does not run here are acknowledged and dropped', { group });
      return;
    }
    if (!mustArrive) {
      await bus.send({ group }, message).catch((error: unknown) => this.#lost(error));
      return;
    }
    const answer = await bus.request({ group }, message, { signal }).catch((error: unknown) => {
      throw errorCode(error) === 'core.aborted' ? error : notTaken(group, message, errorText(error), error);
    });
    if (answer.route.operation === Operations.error) throw notTaken(group, message, String(answer.content));
  }

  #lost(error: unknown): void {
    const { log, said, group } = this.#deps;
    this.#dropped += 1;
    if (said.passes(`lost ${group}`)) log.warn('messages of QoS 0 find no place and are dropped', { group, dropped: this.#dropped, err: errorText(error) });
  }
}

function notTaken(group: string, message: Message, why: string, cause?: unknown): EdgeError {
  return eventBusError('eventbus.not-taken', `group ${group} did not take ${message.route.operation} ${message.route.resource}: ${why}`, cause);
}
