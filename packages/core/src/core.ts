import { Container, ContainerModule } from 'inversify';
import { LocalBus } from './bus/local-bus.js';
import { MessageBus } from './bus/message-bus.js';
import { createCell } from './cell.js';
import { EdgeError, errorText } from './errors.js';
import { Health, type ModuleHealth } from './health.js';
import type { ModuleDefinition } from './module.js';
import { DeadLetters } from './ports/dead-letters.js';
import { FeatureGates } from './ports/identity.js';
import { CloudLink, CloudLinkWriter, NodeCredentials, NodeCredentialsWriter, type Credentials, type LinkStatus } from './ports/link.js';
import { Logger } from './ports/logger.js';
import { startOrder } from './supervisor/order.js';
import { Supervised } from './supervisor/supervised.js';
import { untilAborted } from './time.js';
import type { Bind } from './token.js';
import { checkModules, type ContractVersions } from './versions/check.js';

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
  readonly #modules: ModuleDefinition[] = [];
  readonly #bus = new LocalBus();
  readonly #health = createCell<Readonly<Record<string, ModuleHealth>>>({});
  readonly #container = new Container();
  readonly #link = createCell<LinkStatus>({ connected: false, session: 0, since: Date.now(), reason: 'not connected yet' });
  #extraStopMs = 0;

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
    this.#modules.push(module as ModuleDefinition);
    return this;
  }

  /**
   * Runs all enabled modules until the signal aborts, then stops them in reverse order.
   * @throws EdgeError `core.incompatible`, `core.cycle`, `config.invalid` before anything has started
   */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const problems = checkModules(this.#modules, this.#options.contract ?? {});
    if (problems.length > 0) {
      throw new EdgeError('core.incompatible', problems.map((problem) => problem.text).join('\n'));
    }
    const supervised = startOrder(this.#modules.flatMap((module) => this.#prepare(module)));
    const attached = supervised.map(({ unit }) => unit.attach());
    // All from the start, so that whoever looks does not take the first ones for the whole.
    this.#health.set(Object.fromEntries(supervised.map(({ unit }) => [unit.name, unit.health.value])));
    const watching = supervised.map(({ unit }) =>
      unit.health.subscribe((health) => this.#health.set({ ...this.#health.value, [unit.name]: health })),
    );
    const lives: { unit: Supervised; life: Promise<void> }[] = [];
    try {
      for (const { unit, after } of supervised) {
        const needed = supervised.filter((other) => after.includes(other.name)).map((other) => other.unit);
        await Promise.all(needed.map((other) => settled(other, signal)));
        if (signal.aborted) break;
        for (const other of needed) {
          if (other.health.value.phase !== 'ready') {
            log.warn('module starts although one that it comes after is not ready', { module: unit.name, notReady: other.name });
          }
        }
        lives.push({ unit, life: unit.keepRunning() });
      }
      await untilAborted(signal);
    } finally {
      await this.#stopAll(lives);
      for (const subscription of [...watching, ...attached]) subscription[Symbol.dispose]();
    }
  }

  #prepare(module: ModuleDefinition): { name: string; after: readonly string[]; unit: Supervised }[] {
    const { log, deadLetters, gates, readyTimeoutMs = 30_000 } = this.#options;
    const config = this.#parse(module);
    if (!module.enabled(config)) {
      log.info('module is disabled by the configuration', { module: module.name });
      return [];
    }
    const unit = new Supervised({
      definition: module,
      contain: () => {
        const child = new Container({ parent: this.#container });
        this.#load(child, (bind) => {
          bind(module.config.token).toConstantValue(config);
          module.bindings(bind);
        });
        return child;
      },
      bus: this.#bus,
      deadLetters,
      log,
      readyTimeoutMs,
      mayRestart: gates.explicit('moduleRestart') !== false,
    });
    this.#extraStopMs += module.extraStopMs?.(config) ?? 0;
    return [{ name: module.name, after: module.after, unit }];
  }

  #parse(module: ModuleDefinition): unknown {
    const { config } = this.#options;
    let raw: unknown = config;
    for (const key of module.config.path.split('.')) raw = (raw as Record<string, unknown> | undefined)?.[key];
    try {
      return module.config.parse(raw, config);
    } catch (cause) {
      throw new EdgeError('config.invalid', `${module.config.path} is not valid: ${errorText(cause)}`, { cause });
    }
  }

  async #stopAll(lives: readonly { unit: Supervised; life: Promise<void> }[]): Promise<void> {
    const { log } = this.#options;
    const stopTimeoutMs = (this.#options.stopTimeoutMs ?? 20_000) + this.#extraStopMs;
    const deadline = Date.now() + stopTimeoutMs;
    for (const { unit, life } of [...lives].reverse()) {
      unit.stop();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), Math.max(0, deadline - Date.now()));
      });
      const outcome = await Promise.race([life, late]);
      clearTimeout(timer);
      if (outcome === 'late') log.error('module did not stop in time and is left behind', { module: unit.name, timeoutMs: stopTimeoutMs });
    }
  }

  #load(container: Container, bindings: (bind: Bind) => void): void {
    container.load(new ContainerModule(({ bind }) => bindings(bind)));
  }
}

/** Resolves when the module has got past its first start, well or not, or when the signal aborts. */
async function settled(unit: Supervised, signal: AbortSignal): Promise<void> {
  await unit.health.until(({ phase }) => phase !== 'waiting' && phase !== 'starting', signal).catch(() => undefined);
}
