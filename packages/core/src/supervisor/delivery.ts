import { createErrorResponse, isKind, type Message } from '@edge/protocol';
import type { MessageBus } from '../bus/message-bus.js';
import type { ChooseLane } from '../bus/mailbox.js';
import type { Receive } from '../bus/lane.js';
import { errorText } from '../errors.js';
import type { Route } from '../module.js';
import type { DeadLetters } from '../ports/dead-letters.js';
import type { Logger } from '../ports/logger.js';

interface DeliveryDeps<M> {
  /** Wire name of the module. */
  readonly module: string;
  readonly instance: M;
  readonly routes: readonly Route<M>[];
  readonly bus: MessageBus;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
}

/** How messages reach an instance: the first row whose kind fits handles it, on that row's lane. */
export function deliveryFor<M>(deps: DeliveryDeps<M>): { choose: ChooseLane; receive: Receive } {
  const { routes, bus } = deps;
  const unknownSeen = new Set<string>();
  const find = (message: Message): Route<M> | undefined => routes.find((row) => isKind(row.kind, message));

  const answer = (reply: Message | void): void => {
    if (reply) bus.respond(reply);
  };
  const failed = (message: Message, error: unknown): void => {
    if (bus.awaited(message.header.id)) {
      bus.respond(createErrorResponse(message, errorText(error), { source: deps.module }));
      return;
    }
    deps.log.error('message set aside: it could not be handled', {
      operation: message.route.operation,
      resource: message.route.resource,
      id: message.header.id,
      err: errorText(error),
    });
    deps.deadLetters.add(deps.module, message, error);
  };
  const unknown = (message: Message): void => {
    const { source, group, operation, resource } = message.route;
    if (bus.awaited(message.header.id)) {
      bus.respond(createErrorResponse(message, `${deps.module} does not handle ${operation} ${resource}`, { source: deps.module }));
    }
    const key = `${source}/${group}/${operation}`;
    // Bounded: a hostile peer must not fill memory with invented names.
    if (unknownSeen.has(key) || unknownSeen.size >= 100) return;
    unknownSeen.add(key);
    deps.log.warn('message of an unknown kind ignored (said once per kind)', { source, group, operation, resource });
  };

  return {
    choose: (message) => {
      try {
        const lane = find(message)?.lane;
        return typeof lane === 'function' ? lane(message) : (lane ?? '');
      } catch {
        // Neither the sender nor the messages behind it must suffer for it; a row that cannot be told at all fails in `receive`.
        return '';
      }
    },
    receive: (message) => {
      try {
        const row = find(message);
        if (!row) return unknown(message);
        const pending = row.handle(deps.instance, row.kind.decode(message.content, message), message);
        if (!(pending instanceof Promise)) return answer(pending);
        return pending.then(answer, (error: unknown) => failed(message, error));
      } catch (error) {
        failed(message, error);
      }
      return undefined;
    },
  };
}
