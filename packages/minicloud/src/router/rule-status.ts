import { errorText, type Logger } from '@edge/core';
import type { ResourceClient } from '@edge/kubeapi';
import type { StoredRule } from './rules.js';

interface Tally {
  success: number;
  fail: number;
  errors: string[];
}

/** Writes are gathered for so long: a rule may carry thousands of messages a second. */
const GATHER_MS = 1000;
const KEPT_ERRORS = 10;

/** Counts what came of rules' messages in their status. */
export class RuleStatus {
  readonly #rules: ResourceClient<StoredRule>;
  readonly #log: Logger;
  readonly #tallies = new Map<string, Tally>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: { rules: ResourceClient<StoredRule>; log: Logger }) {
    this.#rules = deps.rules;
    this.#log = deps.log;
  }

  /** @param rule `namespace/name`; `error` why it failed, undefined when it arrived */
  count(rule: string, error?: string): void {
    const tally = this.#tallies.get(rule) ?? { success: 0, fail: 0, errors: [] };
    this.#tallies.set(rule, tally);
    if (error === undefined) tally.success += 1;
    else {
      tally.fail += 1;
      tally.errors = [...tally.errors, error.slice(0, 500)].slice(-KEPT_ERRORS);
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }, GATHER_MS);
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    const tallies = [...this.#tallies];
    this.#tallies.clear();
    for (const [key, { success, fail, errors }] of tallies) {
      const [namespace = '', name = ''] = key.split('/');
      try {
        await this.#rules.modify(name, namespace, (rule) => {
          const { successMessages = 0, failMessages = 0, errors: before = [] } = rule.status ?? {};
          rule.status = { successMessages: successMessages + success, failMessages: failMessages + fail, errors: [...before, ...errors].slice(-KEPT_ERRORS) };
        }, { subresource: 'status' });
      } catch (error) {
        this.#log.verbose(1, 'the status of a rule was not written', { rule: key, err: errorText(error) });
      }
    }
  }
}
