import { Complaints, errorCode, errorText, isAbort, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, Modules, Operations, type Message } from '@edge/protocol';
import type { Budget, Share } from '../budget.js';
import { CALL_STATUS } from '../errors.js';
import { decodeCall, encodeAnswer, faultAnswer, type CallAnswer } from './call-content.js';
import type { Repeats } from './repeats.js';
import type { ServiceClient } from './service-client.js';
import { parseTarget } from './target.js';

export interface CallsDeps {
  readonly client: ServiceClient;
  readonly repeats: Repeats;
  readonly budget: Budget;
  readonly bus: MessageBus;
  readonly log: Logger;
}

/** An answer that has not left for the cloud after this is of no use there: nobody waits so long. */
const LEAVE_MS = 60_000;

/** Calls that rules make on services of this node. Each one succeeds or fails alone, and is answered in any case. */
export class Calls {
  readonly #deps: CallsDeps;
  readonly #said = new Complaints();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: CallsDeps) {
    this.#deps = deps;
  }

  /** Begins a call; its answer goes to the cloud when there is one. Does not wait. */
  begin(message: Message, signal: AbortSignal): void {
    const running = this.#serve(message, signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #serve(message: Message, signal: AbortSignal): Promise<void> {
    const since = performance.now();
    let share: Share | undefined;
    let answer: CallAnswer;
    try {
      share = this.#deps.budget.enter();
      answer = await this.#answer(message, share, signal);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return share?.[Symbol.dispose]();
      answer = this.#fault(message, error, Math.round(performance.now() - since));
    }
    await this.#reply(message, answer, signal).finally(() => share?.[Symbol.dispose]());
  }

  async #answer(message: Message, share: Share, signal: AbortSignal): Promise<CallAnswer> {
    const { client, repeats } = this.#deps;
    const { resource } = message.route;
    const target = parseTarget(resource);
    const request = decodeCall(message.content);
    share.add(request.body.length);
    return repeats.once(resource, request, () => client.call(target, request, share, signal));
  }

  #fault({ route }: Message, error: unknown, afterMs: number): CallAnswer {
    const code = errorCode(error) as keyof typeof CALL_STATUS;
    const status = CALL_STATUS[code] ?? 500;
    const why = errorText(error);
    // What is asked for stands before the query; what comes behind it is nobody's business.
    const target = route.resource.split('?', 1)[0]?.slice(0, 200);
    if (this.#said.passes(`${code} ${target}`)) this.#deps.log.warn('a rule called a service of this node in vain', { target, status, why });
    const text = status === 404 ? `error to call service: ${target} on this node: ${why} (after ${afterMs} ms)` : why;
    return faultAnswer(status, text);
  }

  /** The bytes are held until the answer has left, so that a slow link bounds what is begun. */
  async #reply({ header }: Message, answer: CallAnswer, signal: AbortSignal): Promise<void> {
    const reply = createMessage({
      source: Modules.serviceBus, group: Groups.user, operation: Operations.upload, resource: '', parentId: header.id, content: encodeAnswer(answer),
    });
    try {
      await this.#deps.bus.request({ group: Groups.hub }, reply, { timeoutMs: LEAVE_MS, signal });
    } catch (error) {
      if (!isAbort(error) && this.#said.passes('reply')) this.#deps.log.warn('an answer of a service did not leave for the cloud', { why: errorText(error) });
    }
  }
}
