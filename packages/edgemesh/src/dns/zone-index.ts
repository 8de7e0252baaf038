import type { Host, MeshService, ServiceTable } from '../data/service-table.js';

interface Made {
  readonly namespaces: ReadonlySet<string>;
  readonly hosts: ReadonlyMap<string, readonly (readonly [MeshService, Host])[]>;
}

/** What has to be looked up other than by the name of a service; made when it is needed and thrown away with each change. */
export class ZoneIndex implements Disposable {
  readonly #table: ServiceTable;
  readonly #subscription: Disposable;
  #made: Made | undefined;

  constructor(deps: { table: ServiceTable }) {
    this.#table = deps.table;
    this.#subscription = deps.table.changes.subscribe(() => (this.#made = undefined));
  }

  /** True when a service is in it. */
  hasNamespace(name: string): boolean {
    return this.#index().namespaces.has(name);
  }

  /** Headless services, and their host, with that address. */
  hosts(address: string): readonly (readonly [MeshService, Host])[] {
    return this.#index().hosts.get(address) ?? [];
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #index(): Made {
    if (this.#made !== undefined) return this.#made;
    const namespaces = new Set<string>();
    const hosts = new Map<string, (readonly [MeshService, Host])[]>();
    for (const service of this.#table.all()) {
      namespaces.add(service.namespace);
      for (const host of service.hosts) {
        if (!host.ready) continue;
        const there = hosts.get(host.address);
        if (there === undefined) hosts.set(host.address, [[service, host]]);
        else there.push([service, host]);
      }
    }
    return (this.#made = { namespaces, hosts });
  }
}
