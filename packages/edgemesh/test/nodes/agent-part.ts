import type { MeshService, ServiceName, ServiceTable } from '../../src/data/service-table.js';
import { systemCommand } from '../../src/intercept/commands.js';
import type { WaysConfig } from '../../src/ways-config.js';
import { Ways } from '../../src/ways.js';

/** The agent as far as this package is it: ways over a table that is given. */
export class AgentPart {
  readonly said: string[] = [];
  readonly #services = new Map<string, MeshService>();
  readonly #listeners = new Set<(changed: readonly ServiceName[]) => void>();
  readonly #stop = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #ways: Ways | undefined;

  async start(config: WaysConfig, services: readonly MeshService[], otherPrograms: Readonly<Record<string, string>> = {}): Promise<void> {
    this.put(services);
    const line = (text: string): void => void this.said.push(text);
    const log = { debug: () => undefined, info: line, warn: line, error: line, named: () => log };
    this.#ways = new Ways({ config, identity: { name: 'node1' }, log: log as never, run: (program) => systemCommand(otherPrograms[program] ?? program), lookMs: 1_000 });
    await new Promise<void>((resolve, reject) => {
      this.#work = this.#ways?.run(this.#table, this.#stop.signal, resolve) ?? Promise.resolve();
      this.#work.catch(reject);
    });
  }

  put(services: readonly MeshService[]): void {
    this.#services.clear();
    for (const service of services) this.#services.set(`${service.namespace}/${service.name}`, service);
    for (const listener of this.#listeners) listener(services);
  }

  async connections(): Promise<number> {
    return (await this.#ways?.carried()) ?? 0;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  readonly #table: ServiceTable = {
    get: (namespace, name) => this.#services.get(`${namespace}/${name}`),
    byAddress: (address) => [...this.#services.values()].find(({ clusterIPs }) => clusterIPs.includes(address)),
    all: () => this.#services.values(),
    changes: {
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
      },
    },
  };
}
