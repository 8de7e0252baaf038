import { createMessage, Groups, isFields, Operations, Sources } from '@edge/protocol';
import type { MessageBus } from '@edge/core';

const PATIENCE_MS = 10_000;

/** Asks metamanager, which keeps the tokens that the cloud gave for pods of this node. */
export class StoredTokens {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /** True when that very token is stored here and has not expired. Rejects when metamanager does not answer. */
  async has(token: string): Promise<boolean> {
    const question = createMessage({ source: Sources.metaServer, group: Groups.meta, operation: Operations.get, resource: 'stored/token', content: { token } });
    const { content } = await this.#bus.request({ group: Groups.meta }, question, { timeoutMs: PATIENCE_MS });
    return isFields(content) && content['known'] === true;
  }
}
