import { backoffDelay, isAbort, sleep, type Backoff, type MessageBus } from '@edge/core';
import { createMessage, Groups, isFields, Modules, Operations, type Message } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';

/** An upgrade as upstream keeps it for the confirmation; the node keeps one of each version. */
export interface UpgradeRecord {
  readonly version: 'v1alpha2' | 'v1alpha1';
  readonly job: string;
  /** Empty for v1alpha1. */
  readonly node: string;
  /** The spec, or the whole request for v1alpha1. */
  readonly value: unknown;
}

const RESOURCE = 'stored/nodejob';
const PAUSE: Backoff = { firstMs: 500, factor: 2, limitMs: 30_000, jitter: 0.2 };

/** Upgrades in the table that upstream keeps them in, which is metamanager's: an agent of either kind can go on with them. */
export class UpgradeRecords {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /** In the place of one that is there. @throws EdgeError `taskmanager.refused`, `bus.no-receiver`, `bus.timeout` */
  async save(record: UpgradeRecord): Promise<void> {
    await this.#ask(Operations.insert, record);
  }

  /** Tried until it is done: one that stayed could be confirmed although it is over. */
  async forget(version: UpgradeRecord['version'], signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#ask(Operations.delete, { version });
        return;
      } catch (error) {
        if (isAbort(error)) throw error;
        await sleep(backoffDelay(PAUSE, attempt, Math.random()), signal);
      }
    }
  }

  async all(): Promise<readonly UpgradeRecord[]> {
    const { content } = await this.#ask(Operations.get, null);
    const items: unknown = isFields(content) ? content.items : undefined;
    return Array.isArray(items) ? (items as UpgradeRecord[]) : [];
  }

  async #ask(operation: string, content: unknown): Promise<Message> {
    const message = createMessage({ source: Modules.taskManager, group: Groups.meta, operation, resource: RESOURCE, content });
    const answer = await this.#bus.request({ module: Modules.metaManager }, message);
    if (answer.route.operation === Operations.error) throw taskError(TaskErrors.refused, `the database does not take the job: ${String(answer.content)}`);
    return answer;
  }
}
