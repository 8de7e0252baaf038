import { Container, ContainerModule } from 'inversify';
import { LocalBus } from './bus/local-bus.js';
import { MessageBus } from './bus/message-bus.js';
import { createCell } from './cell.js';
import { abortError, EdgeError } from './errors.js';
import { Health, type ModuleHealth } from './health.js';
import type { ModuleDefinition } from './module.js';
import { DeadLetters } from './ports/dead-letters.js';
import { FeatureGates } from './ports/identity.js';
import { CloudLink, CloudLinkWriter, NodeCredentials, NodeCredentialsWriter, type Credentials, type LinkStatus } from './ports/link.js';
import { Logger } from './ports/logger.js';
import { Crew } from './supervisor/crew.js';
import { startOrder } from './supervisor/order.js';
import { Seat, type Candidate } from './supervisor/seat.js';
import { Supervised } from './supervisor/supervised.js';
import { swapSeat, type SwapOptions, type SwapOutcome } from './supervisor/swap.js';
import { untilAborted } from './time.js';
import type { Bind } from './token.js';
import { checkModules } from './versions/check.js';
import type { ContractVersions } from './versions/contract.js';
import { checkSlices, readSlice } from './versions/slice.js';

const DEFAULT_READY_MS = 30_000;
const DEFAULT_STOP_MS = 20_000;
const DEFAULT_SETTLE_MS = 10_000;

export interface CoreOptions {
  /** The whole configuration as a plain tree; each module gets its slice. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  readonly gates: FeatureGates;
  readonly deadLetters: DeadLetters;
  /** Binds the rest of the platform: store, identity. */
  readonly platform?: (bind: Bind) => void;
  /** Versions of the contract packages, for the check before start. */
  readonly contract?: ContractVersions;
  /** Milliseconds a module may take to get ready; 30 s unless given. */
  readonly readyTimeoutMs?: number;
  /** Milliseconds all modules together may take to stop, beside what some ask for themselves; 20 s unless given. */
  readonly stopTimeoutMs?: number;
}

/** The core of one agent: modules are registered, then `run()` is their life. Several cores may live in one process. */
export class Core {
  readonly #options: CoreOptions;
  #modules: readonly ModuleDefinition[] = [];
  readonly #bus = new LocalBus();
  readonly #health = createCell<Readonly<Record<string, ModuleHealth>>>({});
  readonly #container = new Container();
  readonly #link = createCell<LinkStatus>({ connected: false, session: 0, since: Date.now(), reason: 'not connected yet' });
  #crew: Crew | undefined;
  /** The role of the swap under way; one at a time. */
  #swapping: string | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
    const credentials = createCell<Credentials | undefined>(undefined);
    this.#load(this.#container, (bind) => {
      bind(MessageBus).toConstantValue(this.#bus);
      bind(Logger).toConstantValue(options.log);
      bind(FeatureGates).toConstantValue(options.gates);
      bind(DeadLetters).toConstantValue(options.deadLetters);
      bind(Health).toConstantValue(this.#health);
      bind(CloudLink).toConstantValue(this.#link);
      bind(CloudLinkWriter).toConstantValue(this.#link);
      bind(NodeCredentials).toConstantValue(credentials);
      bind(NodeCredentialsWriter).toConstantValue(credentials);
      options.platform?.(bind);
    });
  }

  get bus(): MessageBus {
    return this.#bus;
  }

  get health(): Health {
    return this.#health;
  }

  /** How the link to the cloud is, for whoever shows it. */
  get link(): CloudLink {
    return this.#link;
  }

  /** Lanes (`module/lane`) in which messages have waited that many ms for the one in hand: a module that hangs. */
  heldUpLanes(limitMs: number): readonly string[] {
    return this.#bus.heldUp(limitMs);
  }

  /** Adds a module; whether it runs is decided by its configuration. */
  register(module: ModuleDefinition<never, never> | ModuleDefinition): this {
    this.#modules = [...this.#modules, module as ModuleDefinition];
    return this;
  }

  /** The modules as they are now, disabled ones too. */
  get modules(): readonly ModuleDefinition[] {
    return this.#modules;
  }

  /**
   * Runs all enabled modules until the signal aborts, then stops them in reverse order.
   * @throws EdgeError `core.incompatible`, `config.invalid` before anything has started, with all that is wrong
   */
  async run(signal: AbortSignal): Promise<void> {
    const { log, stopTimeoutMs = DEFAULT_STOP_MS } = this.#options;
    this.#mustFit(this.#modules);
    const candidates = this.#modules.map((module) => this.#candidate(module));
    const seats = candidates.flatMap((candidate) => {
      if (candidate.enabled) return [new Seat({ candidate, bus: this.#bus })];
      log.info('module is disabled by the configuration', { module: candidate.definition.name });
      return [];
    });
    const crew = new Crew({ seats: startOrder(seats), health: this.#health, log, stopTimeoutMs });
    this.#crew = crew;
    try {
      await crew.run(signal);
    } finally {
      this.#crew = undefined;
    }
  }

  /**
   * Gives a role to another version of its module while all others run on: the old one finishes the messages in hand and stops, the new
   * one starts, messages wait meanwhile. One that does not get ready in time, or ends again soon, is taken back by itself.
   * @throws EdgeError with everything as it was: `core.not-running`, `core.no-role`, `core.swap-busy`, `core.incompatible`,
   * `config.invalid`, `core.switched`, `core.aborted`; and `core.stopping` when the agent stops meanwhile
   */
  async swap(role: string, definition: ModuleDefinition<never, never> | ModuleDefinition, options: SwapOptions = {}): Promise<SwapOutcome> {
    const crew = this.#crew;
    if (!crew) throw new EdgeError('core.not-running', `the agent does not run, so ${role} cannot be swapped`);
    if (this.#swapping !== undefined) throw new EdgeError('core.swap-busy', `${this.#swapping} is being swapped; try again when that is done`);
    this.#swapping = role;
    try {
      return await this.#swap(crew, role, definition as ModuleDefinition, options);
    } finally {
      this.#swapping = undefined;
    }
  }

  async #swap(crew: Crew, role: string, definition: ModuleDefinition, options: SwapOptions): Promise<SwapOutcome> {
    const { log, readyTimeoutMs: usualReadyMs = DEFAULT_READY_MS, stopTimeoutMs: usualStopMs = DEFAULT_STOP_MS } = this.#options;
    const { readyTimeoutMs = usualReadyMs, settleMs = DEFAULT_SETTLE_MS, stopTimeoutMs = usualStopMs, signal, onStep = () => undefined } = options;
    const old = this.#modules.find(({ name }) => name === role);
    if (!old) throw new EdgeError('core.no-role', `this agent has no module ${role}; it has ${this.#modules.map(({ name }) => name).join(', ')}`);
    const modules = this.#modules.map((module) => (module === old ? definition : module));
    this.#mustFit(modules);
    if (definition.name !== role) throw new EdgeError('core.no-role', `${definition.packageName} ${definition.version} is a ${definition.name}, it cannot take the role ${role}`);
    const candidate = this.#candidate(definition);
    const seat = crew.seat(role);
    if (candidate.enabled !== (seat !== undefined)) {
      const off = (is: boolean): string => (is ? 'on' : 'off');
      throw new EdgeError('core.switched', `with this configuration ${role} is ${off(!candidate.enabled)}, and would be ${off(candidate.enabled)} with ${definition.packageName} ${definition.version}: that takes a restart`);
    }
    if (!seat) {
      this.#modules = modules;
      return { result: 'noted', serving: false, pausedMs: 0, leftBehind: [] };
    }

    const ends = AbortSignal.any([seat.stopped, ...(signal ? [signal] : [])]);
    await Promise.race([crew.complete(), untilAborted(ends)]);
    if (ends.aborted) throw abortError(ends);
    const versions = { module: role, from: `${old.packageName}@${old.version}`, to: `${definition.packageName}@${definition.version}` };
    log.info('swapping a module', versions);
    const outcome = await swapSeat(seat, candidate, { readyTimeoutMs, settleMs, stopTimeoutMs }, ends, onStep);
    for (const version of outcome.leftBehind) log.error('module did not stop in time and is left behind', { module: role, version });
    if (outcome.result === 'swapped') {
      this.#modules = this.#modules.map((module) => (module === old ? definition : module));
      log.info('module swapped', { ...versions, pausedMs: Math.round(outcome.pausedMs) });
    } else {
      log.error('the new version of a module was taken back', { ...versions, reason: outcome.reason ?? '', serving: outcome.serving });
    }
    return outcome;
  }

  #mustFit(modules: readonly ModuleDefinition[]): void {
    const problems = checkModules(modules, this.#options.contract ?? {});
    if (problems.length > 0) throw new EdgeError('core.incompatible', problems.map((problem) => problem.text).join('\n'));
    const refused = checkSlices(modules, this.#options.config);
    if (refused.length > 0) throw new EdgeError('config.invalid', refused.map((problem) => problem.text).join('\n'));
  }

  #candidate(module: ModuleDefinition): Candidate & { readonly enabled: boolean } {
    const { log, deadLetters, gates, readyTimeoutMs = DEFAULT_READY_MS } = this.#options;
    const config = readSlice(module, this.#options.config);
    const contain = (): Container => {
      const child = new Container({ parent: this.#container });
      this.#load(child, (bind) => {
        bind(module.config.token).toConstantValue(config);
        module.bindings(bind);
      });
      return child;
    };
    const mayRestart = gates.explicit('moduleRestart') !== false;
    return {
      definition: module,
      enabled: module.enabled(config),
      extraStopMs: module.extraStopMs?.(config) ?? 0,
      unit: (mailbox, trial) => new Supervised({ definition: module, mailbox, contain, bus: this.#bus, deadLetters, log, readyTimeoutMs, mayRestart, trial }),
    };
  }

  #load(container: Container, bindings: (bind: Bind) => void): void {
    container.load(new ContainerModule(({ bind }) => bindings(bind)));
  }
}
