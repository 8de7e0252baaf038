import { canonicalAddress } from '../data/addresses.js';
import type { MeshService, ServiceName, ServiceTable } from '../data/service-table.js';
import { OwnAddresses } from './own-addresses.js';
import type { Range } from './range.js';

export interface OwnAddressTableDeps {
  readonly table: ServiceTable;
  readonly range: Range;
  /** Addresses of the range that no service gets. */
  readonly reserved?: readonly string[];
  /** Says that a service has no address. */
  readonly say: (text: string) => void;
}

type Listener = (changed: readonly ServiceName[]) => void;

/**
 * Services with an address of the node's own in place of their cluster addresses, of which there is none then. Headless services, names
 * elsewhere and services of other proxies are as they were. [edgemesh-49]
 */
export class OwnAddressTable implements ServiceTable, Disposable {
  readonly #deps: OwnAddressTableDeps;
  readonly #addresses: OwnAddresses;
  readonly #subscription: Disposable;
  readonly #listeners = new Set<Listener>();
  /** Services for which there was no address. */
  readonly #waiting = new Set<string>();
  /** Who compares services compares objects: the same service is the same object. */
  readonly #shown = new WeakMap<MeshService, MeshService>();

  constructor(deps: OwnAddressTableDeps) {
    this.#deps = deps;
    this.#addresses = new OwnAddresses(deps);
    // The order in which they are stored must not count after a restart.
    for (const service of [...deps.table.all()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) this.#follow(service);
    this.#subscription = deps.table.changes.subscribe((changed) => {
      for (const name of changed) this.#follow(name);
      const all = [...changed, ...this.#serveWaiting()];
      for (const listener of [...this.#listeners]) listener(all);
    });
  }

  readonly changes = {
    subscribe: (listener: Listener): Disposable => {
      this.#listeners.add(listener);
      return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
    },
  };

  get(namespace: string, name: string): MeshService | undefined {
    const service = this.#deps.table.get(namespace, name);
    return service && this.#show(service);
  }

  /** By the own address, or by a cluster address, which still tells whose it is. */
  byAddress(address: string): MeshService | undefined {
    const key = this.#addresses.ownerOf(canonicalAddress(address) ?? '');
    if (key === undefined) {
      const service = this.#deps.table.byAddress(address);
      return service && this.#show(service);
    }
    const { namespace, name } = nameOf(key);
    return this.get(namespace, name);
  }

  *all(): Iterable<MeshService> {
    for (const service of this.#deps.table.all()) yield this.#show(service);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #follow(name: ServiceName): void {
    const service = this.#deps.table.get(name.namespace, name.name);
    const key = keyOf(name);
    this.#waiting.delete(key);
    if (service === undefined || !hasOwnAddress(service)) this.#addresses.release(key);
    else if (this.#addresses.take(key) === undefined) {
      this.#waiting.add(key);
      this.#deps.say(`service ${key} has no address: all of ${this.#deps.range.text} are taken`);
    }
  }

  /** Others may have left. @returns those that have an address now */
  #serveWaiting(): readonly ServiceName[] {
    const served = [...this.#waiting].filter((key) => this.#addresses.take(key) !== undefined);
    return served.map((key) => {
      this.#waiting.delete(key);
      const name = nameOf(key);
      const service = this.#deps.table.get(name.namespace, name.name);
      if (service !== undefined) this.#shown.delete(service);
      return name;
    });
  }

  #show(service: MeshService): MeshService {
    if (!hasOwnAddress(service)) return service;
    const shown = this.#shown.get(service) ?? this.#withOwnAddress(service);
    this.#shown.set(service, shown);
    return shown;
  }

  #withOwnAddress(service: MeshService): MeshService {
    const address = this.#addresses.get(keyOf(service));
    return { ...service, clusterIPs: address === undefined ? [] : [address] };
  }
}

const keyOf = ({ namespace, name }: ServiceName): string => `${namespace}/${name}`;
function nameOf(key: string): ServiceName {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

const hasOwnAddress = ({ clusterIPs, foreignProxy }: MeshService): boolean => clusterIPs.length > 0 && !foreignProxy;
