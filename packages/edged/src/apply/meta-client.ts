import { randomUUID } from 'node:crypto';
import { EdgeError, type MessageBus } from '@edge/core';
import { createMessage, Groups, Modules, Operations, type Message, type Status } from '@edge/protocol';
import { edgedError } from '../errors.js';

const TARGET = { module: Modules.metaManager };
/** Longer than metamanager's own patience with the cloud, so that its answer and not this limit says what went wrong. */
const PATIENCE_MS = 70_000;

/** A refusal; `status` is the API's reason when there is one. */
export class Refused extends EdgeError {
  readonly status: Status | undefined;

  constructor(message: string, status?: Status) {
    super('edged.refused', message);
    this.status = status;
  }
}

/** What edged says to metamanager, in edged's name. */
export class MetaClient {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /**
   * Asks and waits; returns the content of the answer.
   * @throws Refused for an answer with operation `error`; what `MessageBus.request` throws
   */
  async request(operation: string, resource: string, content: unknown, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#bus.request(TARGET, compose(operation, resource, content), { timeoutMs: PATIENCE_MS, signal });
    if (answer.route.operation === Operations.error) throw new Refused(`${operation} ${resource}: ${String(answer.content)}`);
    return answer.content;
  }

  /**
   * Asks for stored objects.
   * @throws EdgeError `edged.bad-answer` when the answer is no list of JSON texts; as `request`
   */
  async rows(resource: string, signal: AbortSignal): Promise<string[]> {
    const content = await this.request(Operations.query, resource, null, signal);
    if (!Array.isArray(content) || content.some((row) => typeof row !== 'string')) {
      throw edgedError('edged.bad-answer', `query ${resource} was not answered with a list of JSON texts`);
    }
    return content as string[];
  }

  /**
   * Hands a message over without waiting for an answer.
   * @param id names the message; its answer carries it as parent id
   */
  async send(operation: string, resource: string, content: unknown, id: string = randomUUID()): Promise<void> {
    await this.#bus.send(TARGET, compose(operation, resource, content, id));
  }
}

function compose(operation: string, resource: string, content: unknown, id: string = randomUUID()): Message {
  return createMessage({ source: Modules.edged, group: Groups.meta, operation, resource, content, id });
}
