import { setMaxListeners } from 'node:events';
import type { Container } from 'inversify';
import { Mailbox } from '../bus/mailbox.js';
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
  /** Makes the child container of one run. */
  readonly contain: () => Container;
  readonly bus: LocalBus;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
  /** Milliseconds from start to `ready()`. */
  readonly readyTimeoutMs: number;
  /** False: a crashed module stays down (upstream's gate `moduleRestart` set to false). */
  readonly mayRestart: boolean;
}

/** One module under supervision: its runs, one after the other, and its place on the bus between them. */
export class Supervised {
  readonly name: string;
  readonly #deps: SupervisedDeps;
  readonly #mailbox: Mailbox;
  readonly #health = createCell<ModuleHealth>({ phase: 'waiting', restarts: 0, since: Date.now() });
  readonly #stop = new AbortController();

  constructor(deps: SupervisedDeps) {
    this.#deps = deps;
    this.name = deps.definition.name;
    this.#mailbox = new Mailbox(deps.definition.laneCapacity);
  }

  get health(): Cell<ModuleHealth> {
    return this.#health;
  }

  /** Takes its place on the bus; from here on messages wait for it. */
  attach(): Disposable {
    const { module, group } = this.#deps.definition.wire;
    return this.#deps.bus.attach({ module, group, mailbox: this.#mailbox });
  }

  stop(): void {
    this.#stop.abort(new EdgeError('core.stopping', 'the agent stops'));
  }

  /** Runs and restarts until stopped, done, or out of retries. Never rejects. */
  async keepRunning(): Promise<void> {
    const { definition, log, mayRestart } = this.#deps;
    const { restart } = definition;
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      const startedAt = Date.now();
      const crash = await this.#runOnce(attempt);
      if (this.#stop.signal.aborted) break;
      if (!crash && restart.when !== 'always') return this.#become('done', attempt);
      const text = crash ? errorText(crash) : undefined;
      if (crash) log.error('module crashed', { module: this.name, err: text ?? '' });
      if (restart.when === 'never' || !mayRestart || (restart.retries !== undefined && attempt >= restart.retries)) {
        return this.#become('failed', attempt, text);
      }
      // A module that ran well for a while starts from the shortest pause again.
      if (Date.now() - startedAt > restart.limitMs * 2) attempt = 0;
      this.#become('restarting', attempt, text);
      await sleep(backoffDelay(restart, attempt, Math.random()), this.#stop.signal).catch(ignoreStop);
    }
    this.#become('done', this.#health.value.restarts);
  }

  async #runOnce(attempt: number): Promise<unknown> {
    const { definition, contain, bus, deadLetters, log, readyTimeoutMs } = this.#deps;
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
        if (ended.signal.aborted || this.#health.value.phase === 'ready') return;
        clearTimeout(late);
        this.#become('ready', attempt, this.#health.value.lastError);
        this.#mailbox.open(choose, receive);
      };
      await Promise.race([instance.run({ signal, ready }), overdue]);
      return undefined;
    } catch (error) {
      return this.#stop.signal.aborted && isAbort(error) ? undefined : error;
    } finally {
      clearTimeout(late);
      this.#mailbox.shut();
      ended.abort(new EdgeError('core.stopping', `this run of module ${this.name} has ended`));
    }
  }

  #become(phase: ModulePhase, restarts: number, lastError?: string): void {
    this.#health.set({ phase, restarts, since: Date.now(), ...(lastError === undefined ? {} : { lastError }) });
  }
}

function ignoreStop(): void {
  // The loop looks at the signal itself.
}
