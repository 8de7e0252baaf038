import {
  CONTRACT_VERSIONS,
  Core,
  NodeIdentity,
  Store,
  type Bind,
  type FeatureGates,
  type LocalBus,
  type Logger,
  type ModuleDefinition,
  type Runnable,
} from '@edge/core';
import { collectingDeadLetters, collectingLogger, testGates, testIdentity, type DeadLetter, type LogLine } from './doubles.js';
import { createTestBus, type TestBus } from './test-bus.js';

export interface RunModuleOptions {
  /** The whole configuration tree. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly store?: Store;
  readonly identity?: NodeIdentity;
  readonly gates?: FeatureGates;
  readonly log?: Logger;
  /** Binds or overrides further things. */
  readonly platform?: (bind: Bind) => void;
  /** Plays the neighbours before the module starts. */
  readonly neighbours?: (bus: TestBus) => void;
  readonly readyTimeoutMs?: number;
}

/** A module that runs alone, on a real core with test doubles around. */
export interface RunningModule extends AsyncDisposable {
  readonly core: Core;
  readonly bus: TestBus;
  readonly lines: readonly LogLine[];
  readonly letters: readonly DeadLetter[];
  /** Waits for `ready`; rejects with the crash or after a minute. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a module alone and waits until it is ready. */
export async function runModule<M extends Runnable, C>(
  definition: ModuleDefinition<M, C>,
  options: RunModuleOptions = {},
): Promise<RunningModule> {
  const running = startModule(definition, options);
  try {
    await running.ready();
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

/** As `runModule`, without waiting. */
export function startModule<M extends Runnable, C>(definition: ModuleDefinition<M, C>, options: RunModuleOptions = {}): RunningModule {
  const lines: LogLine[] = [];
  const deadLetters = collectingDeadLetters();
  const core = new Core({
    config: options.config ?? {},
    log: options.log ?? collectingLogger(lines),
    gates: options.gates ?? testGates(),
    deadLetters,
    contract: CONTRACT_VERSIONS,
    readyTimeoutMs: options.readyTimeoutMs ?? 60_000,
    platform: (bind) => {
      bind(NodeIdentity).toConstantValue(options.identity ?? testIdentity());
      if (options.store) bind(Store).toConstantValue(options.store);
      options.platform?.(bind);
    },
  });
  const bus = createTestBus(core.bus as LocalBus);
  options.neighbours?.(bus);
  const stop = new AbortController();
  const life = core.register(definition as unknown as ModuleDefinition).run(stop.signal);
  // A refusal before the start must reach whoever waits, not the process.
  life.catch(() => undefined);
  const stopAndWait = async (): Promise<void> => {
    stop.abort();
    await life;
  };
  return {
    core,
    bus,
    lines,
    letters: deadLetters.letters,
    ready: async () => {
      const settled = core.health.until((health) => {
        const phase = health[definition.name]?.phase;
        return phase !== undefined && phase !== 'starting' && phase !== 'waiting';
      }, AbortSignal.timeout(60_000));
      const health = await Promise.race([settled, life.then(() => core.health.value)]);
      const own = health[definition.name];
      if (own?.phase !== 'ready') throw new Error(`module ${definition.name} is ${own?.phase ?? 'not running'}: ${own?.lastError ?? 'no error'}`);
    },
    stop: stopAndWait,
    [Symbol.asyncDispose]: stopAndWait,
  };
}
