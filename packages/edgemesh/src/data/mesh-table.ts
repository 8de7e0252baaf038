import { sameData, type KubeObject } from '@edge/protocol';
import { canonicalAddress } from './addresses.js';
import { endpointsGroups, serviceOfSlice, sliceGroup, type EndpointGroup } from './endpoints-of.js';
import { meshService } from './mesh-service.js';
import { withOwnApi, type ApiPlace } from './own-api.js';
import type { MeshService, ServiceName, ServiceTable } from './service-table.js';

/** An object under the key that metamanager has it under; undefined when there is none any more. */
export interface ObjectChange {
  readonly key: string;
  readonly object: KubeObject | undefined;
}

type Listener = (changed: readonly ServiceName[]) => void;

/** Of an object only what counts here is kept, so that a table of thousands stays small. */
interface Slice {
  readonly service: string;
  readonly group: EndpointGroup;
}

/** The table, made of Services, EndpointSlices and, for services without slices, Endpoints. [edgemesh-2] */
export class MeshTable implements ServiceTable {
  readonly #services = new Map<string, KubeObject>();
  readonly #slices = new Map<string, Slice>();
  readonly #endpoints = new Map<string, readonly EndpointGroup[]>();
  /** Service → keys of its slices. */
  readonly #slicesOf = new Map<string, Set<string>>();
  /** metamanager's key of a Service or of Endpoints → which service that is. */
  readonly #places = new Map<string, { readonly kind: string; readonly id: string }>();
  readonly #built = new Map<string, MeshService>();
  readonly #byAddress = new Map<string, string>();
  readonly #listeners = new Set<Listener>();
  readonly #api: ApiPlace | undefined;

  /** @param deps.api where pods reach the node's own API, which `kubernetes.default` stands for on a node; undefined: nowhere */
  constructor(deps: { api?: ApiPlace } = {}) {
    this.#api = deps.api;
  }

  readonly changes = {
    subscribe: (listener: Listener): Disposable => {
      this.#listeners.add(listener);
      return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
    },
  };

  get(namespace: string, name: string): MeshService | undefined {
    return this.#built.get(`${namespace}/${name}`);
  }

  byAddress(address: string): MeshService | undefined {
    const id = this.#byAddress.get(canonicalAddress(address) ?? '');
    return id === undefined ? undefined : this.#built.get(id);
  }

  all(): Iterable<MeshService> {
    return this.#built.values();
  }

  get size(): number {
    return this.#built.size;
  }

  /** Takes over changes; objects of other kinds are left alone. */
  apply(changes: readonly ObjectChange[]): void {
    const touched = new Set<string>();
    for (const { key, object } of changes) {
      this.#forget(key, touched);
      if (object !== undefined) this.#keep(key, object, touched);
    }
    this.#rebuild(touched);
  }

  /** As `apply`, with everything there is: what is not among it has gone. */
  replace(everything: readonly ObjectChange[]): void {
    const keys = new Set(everything.map(({ key }) => key));
    const gone = [...this.#places.keys(), ...this.#slices.keys()].filter((key) => !keys.has(key)).map((key) => ({ key, object: undefined }));
    this.apply([...gone, ...everything]);
  }

  #keep(key: string, object: KubeObject, touched: Set<string>): void {
    const { namespace, name } = object.metadata;
    if (typeof namespace !== 'string' || typeof name !== 'string' || namespace === '' || name === '') return;
    const service = object.kind === 'EndpointSlice' ? serviceOfSlice(object) : name;
    if (service === undefined) return;
    const id = `${namespace}/${service}`;
    if (object.kind === 'Service') this.#services.set(id, trimmed(object));
    else if (object.kind === 'Endpoints') this.#endpoints.set(id, endpointsGroups(object).map((group) => withOwnApi(id, group, this.#api)));
    else if (object.kind === 'EndpointSlice') {
      this.#slices.set(key, { service: id, group: withOwnApi(id, sliceGroup(object), this.#api) });
      const slices = this.#slicesOf.get(id) ?? new Set();
      this.#slicesOf.set(id, slices.add(key));
    } else return;
    if (object.kind !== 'EndpointSlice') this.#places.set(key, { kind: object.kind, id });
    touched.add(id);
  }

  #forget(key: string, touched: Set<string>): void {
    const slice = this.#slices.get(key);
    if (slice !== undefined) {
      this.#slices.delete(key);
      const others = this.#slicesOf.get(slice.service);
      others?.delete(key);
      if (others?.size === 0) this.#slicesOf.delete(slice.service);
      touched.add(slice.service);
    }
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    (place.kind === 'Service' ? this.#services : this.#endpoints).delete(place.id);
    touched.add(place.id);
  }

  #rebuild(touched: ReadonlySet<string>): void {
    const changed: ServiceName[] = [];
    for (const id of touched) {
      const before = this.#built.get(id);
      const service = this.#services.get(id);
      const after = service && meshService(service, this.#groups(id));
      if (before === after || (before !== undefined && after !== undefined && sameData(before, after))) continue;
      for (const address of before?.clusterIPs ?? []) if (this.#byAddress.get(address) === id) this.#byAddress.delete(address);
      if (after === undefined) this.#built.delete(id);
      else this.#built.set(id, after);
      for (const address of after?.clusterIPs ?? []) this.#byAddress.set(address, id);
      const { namespace, name } = (after ?? before) as MeshService;
      changed.push({ namespace, name });
    }
    if (changed.length > 0) for (const listener of [...this.#listeners]) listener(changed);
  }

  #groups(id: string): readonly EndpointGroup[] {
    const slices = this.#slicesOf.get(id);
    if (slices === undefined) return this.#endpoints.get(id) ?? [];
    return [...slices].sort().map((key) => (this.#slices.get(key) as Slice).group);
  }
}

/** What is read of a Service; who manages which field, and its status, are not. */
function trimmed({ metadata: { name, namespace, labels, annotations }, spec }: KubeObject): KubeObject {
  return { metadata: { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }), ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) }, spec };
}
