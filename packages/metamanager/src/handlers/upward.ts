import type { Message } from '@edge/protocol';
import type { Cloud } from '../cloud.js';

/** Events and pod deletes of the node: passed on as they are, nothing is stored and nothing answered here. */
export class UpwardHandler {
  readonly #cloud: Cloud;

  constructor(deps: { cloud: Cloud }) {
    this.#cloud = deps.cloud;
  }

  async handle(message: Message): Promise<void> {
    await this.#cloud.tell(message);
  }
}
