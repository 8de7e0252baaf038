import { errorText, type MessageBus } from '@edge/core';
import { createErrorResponse, createResponse, encodeJson, Modules, Operations, type Message } from '@edge/protocol';
import type { Cloud } from '../cloud.js';

/** Milliseconds that the cloud waits for a volume operation. */
const VOLUME_TIMEOUT_MS = 60_000;

/** Volume operations of the cloud's CSI driver: edged does them, each on its own lane, and the cloud gets its answer. [metamanager-6] */
export class VolumeHandler {
  readonly #bus: MessageBus;
  readonly #cloud: Cloud;

  constructor(deps: { bus: MessageBus; cloud: Cloud }) {
    this.#bus = deps.bus;
    this.#cloud = deps.cloud;
  }

  async handle(message: Message): Promise<void> {
    await this.#cloud.tell(await this.#ask(message));
  }

  async #ask(message: Message): Promise<Message> {
    try {
      const answer = await this.#bus.request({ module: Modules.edged }, message, { timeoutMs: VOLUME_TIMEOUT_MS, signal: this.#cloud.signal });
      if (answer.route.operation === Operations.error) return createErrorResponse(message, String(answer.content));
      return createResponse(message, wireResult(answer.content));
    } catch (error) {
      return createErrorResponse(message, `${message.route.operation} ${message.route.resource}: ${errorText(error)}`);
    }
  }
}

/** The cloud's driver reads a base64 text of the JSON result; an object, which upstream's agent sends, it cannot decode. */
function wireResult(content: unknown): unknown {
  return typeof content === 'object' && content !== null ? Buffer.from(encodeJson(content)).toString('base64') : content;
}
