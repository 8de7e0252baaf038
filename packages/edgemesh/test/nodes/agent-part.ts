import { OwnLink, ipCommand } from '@edge/core';
import { parseEdgeMeshConfig } from '../../src/config.js';
import type { MeshService, ServiceName, ServiceTable } from '../../src/data/service-table.js';
import { MESH_LINK, Names } from '../../src/dns/names.js';
import { systemCommand } from '../../src/intercept/commands.js';
import { openOwnAddresses } from '../../src/own-address/open-own-addresses.js';
import { chooseRange } from '../../src/own-address/range.js';
import { Ways } from '../../src/ways.js';

/** The agent as far as this package is it: ways over a table that is given. */
export class AgentPart {
  readonly said: string[] = [];
  readonly #services = new Map<string, MeshService>();
  readonly #listeners = new Set<(changed: readonly ServiceName[]) => void>();
  readonly #stop = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #ways: Ways | undefined;

  /** @param proxy the slice `edge.edgeMesh.proxy` @param address where names are answered, which they are with own addresses alone */
  async start(proxy: unknown, services: readonly MeshService[], otherPrograms: Readonly<Record<string, string>> = {}, address?: string): Promise<void> {
    this.put(services);
    const mesh = parseEdgeMeshConfig({ proxy, ...(address === undefined ? {} : { address }) });
    const isOwn = mesh.proxy.intercept === 'own-address';
    const line = (text: string): void => void this.said.push(text);
    const log = { debug: () => undefined, info: line, warn: line, error: line, named: () => log };
    const table = isOwn ? await openOwnAddresses(this.#table, mesh, log as never) : this.#table;
    const ownRange = isOwn ? { ownRange: await chooseRange(mesh.proxy.ownRange) } : {};
    this.#ways = new Ways({ config: mesh.proxy, identity: { name: 'node1' }, log: log as never, run: (program) => systemCommand(otherPrograms[program] ?? program), lookMs: 1_000, ...ownRange });
    const parts = isOwn ? [this.#ways, new Names({ config: mesh, link: new OwnLink({ ip: ipCommand, name: MESH_LINK, isOnlyOurs: true }), log: log as never })] : [this.#ways];
    await new Promise<void>((resolve, reject) => {
      let waiting = parts.length;
      const ready = (): void => {
        waiting -= 1;
        if (waiting === 0) resolve();
      };
      this.#work = Promise.all(parts.map((part) => part.run(table, this.#stop.signal, ready))).then(() => undefined);
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
