import { setMaxListeners } from 'node:events';
import type { Container } from 'inversify';
import { DEFAULT_LANE_CAPACITY, type Mailbox } from '../bus/mailbox.js';
import type { LocalBus } from '../bus/local-bus.js';
import { createCell, type Cell } from '../cell.js';
import { EdgeError, errorText, isAbort } from '../errors.js';
import type { ModuleHealth, ModulePhase } from '../health.js';
import type { ModuleDefinition, Runnable } from '../module.js';
import type { DeadLetters } from '../ports/dead-letters.js';
import type { Logger } from '../ports/logger.js';
import { backoffDelay, sleep } from '../time.js';
import { deliveryFor } from './delivery.js';

export interface SupervisedDeps {
  readonly definition: ModuleDefinition;
  /** Where the messages for the role wait; it outlives this unit. */
  readonly mailbox: Mailbox;
  /** Makes the child container of one run. */
  readonly contain: () => Container;
  readonly bus: LocalBus;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
  /** Milliseconds from start to `ready()`. */
  readonly readyTimeoutMs: number;
  /** False: a crashed module stays down (upstream's gate `moduleRestart` set to false). */
  readonly mayRestart: boolean;
  /** On trial: a run that ends, well or not, is not followed by another until `confirm()`; with its own limit from start to `ready()`. */
  readonly trial?: Trial | undefined;
}

export interface Trial {
  readonly readyTimeoutMs: number;
}

/** One version of a module under supervision: its runs, one after the other. */
export class Supervised {
  readonly name: string;
  readonly #deps: SupervisedDeps;
  readonly #health = createCell<ModuleHealth>({ phase: 'waiting', restarts: 0, since: Date.now() });
  readonly #stop = new AbortController();
  #onTrial: boolean;
  #draining = false;
  /** Settles when the last instance has returned. */
  #instance: Promise<unknown> = Promise.resolve();
  /** It has opened the mailbox. */
  #handles = false;

  constructor(deps: SupervisedDeps) {
    this.#deps = deps;
    this.name = deps.definition.name;
    this.#onTrial = deps.trial !== undefined;
  }

  get health(): Cell<ModuleHealth> {
    return this.#health;
  }

  stop(): void {
    this.#stop.abort(new EdgeError('core.stopping', 'the agent stops'));
  }

  /** The trial is over: from here on a run that crashes is followed by another. */
  confirm(): void {
    this.#onTrial = false;
  }

  /** Handles no further message. Resolves when none is in hand. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#shut();
    await this.#deps.mailbox.atRest();
  }

  /** Resolves when the last instance has returned; one that did not get ready in time may take longer than its run. */
  async returned(): Promise<void> {
    await this.#instance.catch(() => undefined);
  }

  /** Runs and restarts until stopped, done, or out of retries. Never rejects. */
  async keepRunning(): Promise<void> {
    const { definition, log, mayRestart } = this.#deps;
    const { restart } = definition;
    for (let attempt = 0; !this.#ending; attempt += 1) {
      const startedAt = Date.now();
      const crash = await this.#runOnce(attempt);
      if (this.#ending) break;
      if (!crash && (this.#onTrial || restart.when !== 'always')) return this.#become('done', attempt);
      const text = crash ? errorText(crash) : undefined;
      if (crash) log.error('module crashed', { module: this.name, err: text ?? '' });
      if (this.#onTrial || restart.when === 'never' || !mayRestart || (restart.retries !== undefined && attempt >= restart.retries)) {
        return this.#become('failed', attempt, text);
      }
      // A module that ran well for a while starts from the shortest pause again.
      if (Date.now() - startedAt > restart.limitMs * 2) attempt = 0;
      this.#become('restarting', attempt, text);
      await sleep(backoffDelay(restart, attempt, Math.random()), this.#stop.signal).catch(ignoreStop);
    }
    this.#become('done', this.#health.value.restarts);
  }

  get #ending(): boolean {
    return this.#draining || this.#stop.signal.aborted;
  }

  async #runOnce(attempt: number): Promise<unknown> {
    const { definition, mailbox, contain, bus, deadLetters, log, trial } = this.#deps;
    const readyTimeoutMs = this.#onTrial && trial ? trial.readyTimeoutMs : this.#deps.readyTimeoutMs;
    this.#become('starting', attempt, this.#health.value.lastError);
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ended.signal]);
    // Every wait of the module listens to it; that is its purpose and no leak.
    setMaxListeners(0, signal, this.#stop.signal);
    let late: NodeJS.Timeout | undefined;
    try {
      const instance: Runnable = contain().get(definition.entry);
      const { choose, receive } = deliveryFor({
        module: definition.wire.module,
        instance,
        routes: definition.routes,
        bus,
        deadLetters,
        log: log.named(definition.name),
      });
      const overdue = new Promise<never>((_, reject) => {
        late = setTimeout(() => {
          const error = new EdgeError('core.not-ready', `module ${this.name} was not ready within ${readyTimeoutMs} ms of its start`);
          // The crash first: a run that returns on the abort must not count as done.
          reject(error);
          ended.abort(error);
        }, readyTimeoutMs);
      });
      const ready = (): void => {
        if (signal.aborted || this.#ending || this.#health.value.phase === 'ready') return;
        clearTimeout(late);
        this.#become('ready', attempt, this.#health.value.lastError);
        this.#handles = true;
        mailbox.open(choose, receive, definition.laneCapacity ?? DEFAULT_LANE_CAPACITY);
      };
      // Plain JavaScript may return what is no promise.
      const run = Promise.resolve(instance.run({ signal, ready }));
      this.#instance = run;
      await Promise.race([run, overdue]);
      return undefined;
    } catch (error) {
      return this.#stop.signal.aborted && isAbort(error) ? undefined : error;
    } finally {
      clearTimeout(late);
      this.#shut();
      ended.abort(new EdgeError('core.stopping', `this run of module ${this.name} has ended`));
    }
  }

  /** Another unit may have the mailbox by now; this one shuts what it has opened. */
  #shut(): void {
    if (this.#handles) this.#deps.mailbox.shut();
    this.#handles = false;
  }

  #become(phase: ModulePhase, restarts: number, lastError?: string): void {
    this.#health.set({ phase, restarts, since: Date.now(), ...(lastError === undefined ? {} : { lastError }) });
  }
}

function ignoreStop(): void {
  // The loop looks at the signal itself.
}
