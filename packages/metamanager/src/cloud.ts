import { setMaxListeners } from 'node:events';
import { EdgeError, errorCode, errorText, type CloudLink, type Logger, type MessageBus } from '@edge/core';
import { createErrorResponse, createMessage, Modules, resourceType, type Message } from '@edge/protocol';
import type { MetaManagerConfig } from './config.js';
import { acknowledgement } from './decide/acknowledge.js';
import { patienceMs } from './decide/patience.js';
import { metaManagerError } from './errors.js';

/** The way to the cloud: questions with an answer, messages without, acknowledgements. */
export class Cloud {
  readonly #bus: MessageBus;
  readonly #link: CloudLink;
  readonly #config: MetaManagerConfig;
  readonly #log: Logger;
  readonly #end = new AbortController();

  constructor(deps: { bus: MessageBus; link: CloudLink; config: MetaManagerConfig; log: Logger }) {
    this.#bus = deps.bus;
    this.#link = deps.link;
    this.#config = deps.config;
    this.#log = deps.log;
    // Every question that is out listens to it; that is its purpose and no leak.
    setMaxListeners(0, this.#end.signal);
  }

  get connected(): boolean {
    return this.#link.value.connected;
  }

  get link(): CloudLink {
    return this.#link;
  }

  /**
   * Asks on behalf of `message`, under an id of its own because the caller waits under the original one.
   * @param onSent gets that id, by which a late answer is recognised
   * @throws EdgeError `metamanager.offline` when the link is down or breaks, `bus.timeout` after `remoteQueryTimeout` or less
   */
  async ask(message: Message, onSent?: (id: string) => void): Promise<Message> {
    if (!this.connected) throw offline(message, 'the node is not connected to the cloud');
    const request = createMessage({ ...message.route, content: message.content });
    onSent?.(request.header.id);
    const answer = await this.#bus.request({ group: this.#config.contextSendGroup }, request, {
      timeoutMs: patienceMs(resourceType(message.route.resource), this.#config.remoteQueryTimeout),
      signal: this.#end.signal,
    });
    // CloudCore answers with `response` even when it failed: an `error` is edgehub's, the link broke meanwhile.
    if (answer.route.operation === 'error') throw offline(message, typeof answer.content === 'string' ? answer.content : 'the link broke');
    return answer;
  }

  /** Passes a message on as it is. */
  async tell(message: Message): Promise<void> {
    await this.#bus.send({ group: this.#config.contextSendGroup }, message);
  }

  /** Tells the cloud that a message is stored. Lost acknowledgements are no harm: the cloud sends again. */
  async acknowledge(message: Message): Promise<void> {
    await this.#quietly(acknowledgement(message));
  }

  /** Tells the cloud that a message could not be stored; without an acknowledgement it comes again. */
  async refuse(message: Message, error: unknown): Promise<void> {
    this.#log.error('message from the cloud could not be stored; it is not acknowledged and will come again', {
      operation: message.route.operation,
      resource: message.route.resource,
      err: errorText(error),
    });
    await this.#quietly(createErrorResponse(message, errorText(error), { source: Modules.metaManager }));
  }

  /** Aborts when the module ends. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Ends all waiting. */
  close(): void {
    this.#end.abort(new EdgeError('core.stopping', 'the module stops'));
  }

  async #quietly(message: Message): Promise<void> {
    try {
      await this.tell(message);
    } catch (error) {
      if (errorCode(error) !== 'bus.no-receiver' && errorCode(error) !== 'bus.lane-full') throw error;
      this.#log.verbose(2, 'an acknowledgement found no way to the cloud', { resource: message.route.resource, err: errorText(error) });
    }
  }
}

function offline(message: Message, why: string): EdgeError {
  return metaManagerError('metamanager.offline', `${message.route.operation} ${message.route.resource} needs the cloud: ${why}`);
}
