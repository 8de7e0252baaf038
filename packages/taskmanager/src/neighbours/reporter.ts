import { backoffDelay, Complaints, errorText, isAbort, sleep, type Backoff, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, Modules, Operations, timestamp, type ActionStatus, type NodeTaskResponse } from '@edge/protocol';

const PAUSE: Backoff = { firstMs: 500, factor: 2, limitMs: 30_000, jitter: 0.2 };

/** Tells the cloud how far jobs are. What is told is on the disk when a promise of this resolves. */
export class Reporter {
  readonly #bus: MessageBus;
  readonly #log: Logger;
  readonly #complaints = new Complaints();

  constructor(deps: { bus: MessageBus; log: Logger }) {
    this.#bus = deps.bus;
    this.#log = deps.log;
  }

  /** @param resource that of the job */
  action(resource: string, status: ActionStatus, signal: AbortSignal): Promise<void> {
    return this.#tell(resource, Operations.updateNodeActionStatus, status, signal);
  }

  /** @param type of the task, `upgrade` or `prepull` */
  stage(type: string, job: string, response: NodeTaskResponse, signal: AbortSignal): Promise<void> {
    return this.#tell(`task/${job}/node/${response.NodeName}`, type, response, signal);
  }

  /** edgehub answers when the message is on the disk; until it does the job must not go on, or its report may be lost. */
  async #tell(resource: string, operation: string, content: unknown, signal: AbortSignal): Promise<void> {
    const message = createMessage({ source: Modules.edgeHub, group: Groups.hub, operation, resource, content });
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { route, content: answer } = await this.#bus.request({ group: Groups.hub }, message, { signal });
        if (route.operation !== Operations.error) return;
        this.#complain(resource, String(answer));
      } catch (error) {
        if (isAbort(error)) throw error;
        this.#complain(resource, errorText(error));
      }
      await sleep(backoffDelay(PAUSE, attempt, Math.random()), signal);
    }
  }

  #complain(resource: string, why: string): void {
    if (this.#complaints.passes(why)) this.#log.warn('a report of a job is not kept for the cloud; tried again', { resource, why });
  }
}

/** The status of an action, as it is reported. @param at milliseconds since the epoch; undefined: no time is told */
export function actionStatus(action: string, succ: boolean, parts: { at: number | undefined; reason?: string; extend?: string }): ActionStatus {
  const { at, reason = '', extend = '' } = parts;
  return { action, succ, finishTime: at === undefined ? '' : timestamp(at), reason, extend };
}
