import { isAbort, type Logger, type MessageBus, type Store } from '@edge/core';
import type { MapperInfo } from '@edge/protocol/dmi';
import type { DeviceObjects } from '../objects/device-objects.js';
import type { DeviceReports } from '../reports.js';
import { HoldingsStore } from './mapper/holdings-store.js';
import { MapperLink, type MapperHealth } from './mapper/mapper-link.js';
import { MapperRegistry } from './mapper/registry.js';
import { Mappers, type RunningLink } from './mappers.js';
import { Desiring, type Desired } from './plan/desired.js';
import { Holdings } from './plan/holdings.js';
import { socketOf } from './registration.js';
import { DmiServer } from './server/dmi-server.js';
import { ManagerHandlers } from './server/handlers.js';
import { Limiter } from './server/limits.js';
import type { DmiSettings } from './settings.js';

export interface DmiDeps {
  /** Path of the socket that mappers call. */
  readonly socketPath: string;
  readonly objects: DeviceObjects;
  readonly reports: DeviceReports;
  /** For the registrations of mappers, which metamanager keeps. */
  readonly bus: MessageBus;
  /** For what mappers have confirmed. */
  readonly store: Store;
  readonly log: Logger;
  readonly settings: DmiSettings;
}

/** The Device Mapper Interface: serves mappers on a socket, and calls them on theirs. Source: KubeEdge v1.23, DMI v1beta1. */
export class Dmi {
  readonly #deps: DmiDeps;
  readonly #registry: MapperRegistry;
  readonly #held: HoldingsStore;
  readonly #mappers: Mappers;
  readonly #log: Logger;
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;

  constructor(deps: DmiDeps) {
    this.#deps = deps;
    this.#log = deps.log.named('dmi');
    this.#failed = new Promise((_, reject) => (this.#fail = reject));
    this.#failed.catch(() => undefined);
    this.#registry = new MapperRegistry({ bus: deps.bus, log: this.#log });
    this.#held = new HoldingsStore({ store: deps.store, log: this.#log });
    this.#mappers = new Mappers({
      objects: deps.objects,
      registry: this.#registry,
      desiring: new Desiring(deps.settings.nestedConfig),
      start: (mapper, desired) => this.#start(mapper, desired),
      forget: (mapper) => this.#held.forget(mapper.name),
      log: this.#log,
    });
  }

  /** How each mapper is doing. */
  health(): readonly MapperHealth[] {
    return this.#mappers.health();
  }

  /** Runs until the signal aborts; once. A socket that cannot be made is logged and tried again; nothing else waits for it. */
  async run(signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const stop = (): void => end.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const work = this.#work(end.signal);
    try {
      await Promise.race([work, this.#failed]);
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
      await work.catch(() => undefined);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    using _following = this.#deps.objects.follow(() => this.#mappers.changed());
    try {
      await this.#deps.objects.untilLoaded(signal);
      this.#mappers.restore(await this.#registry.load(signal));
      await this.#serve(signal);
    } finally {
      await this.#mappers.stop();
      await this.#held.settled();
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const handlers = new ManagerHandlers({ registrar: this.#mappers, reports: this.#deps.reports, limiter: new Limiter(this.#deps.settings) });
    await new DmiServer({ path: this.#deps.socketPath, handlers, log: this.#log }).run(signal);
  }

  #start(mapper: MapperInfo, desired: () => Desired): RunningLink {
    const stop = new AbortController();
    const { identity, ...known } = this.#held.remembered(mapper.name);
    const link = new MapperLink({
      name: mapper.name,
      protocol: mapper.protocol,
      socket: socketOf(mapper),
      holdings: new Holdings(this.#held.journal(mapper.name), known),
      desired,
      ...(identity === undefined ? {} : { identity }),
      met: (seen) => this.#held.met(mapper.name, seen),
      log: this.#log,
    });
    // A fault of ours in one of them is one of the module, which starts anew.
    const running = link.run(stop.signal).catch((error: unknown) => this.#fail(error));
    return {
      link,
      stop: () => {
        stop.abort();
        return running;
      },
    };
  }
}
