import type { Store } from '@edge/core';
import { MemoryObjectStore, storageName, type EarlierChange, type KubeObject, type ObjectKey } from '@edge/kubeapi';
import type { KubeObject as StoredObject } from '@edge/protocol';
import type { TypeCatalog } from '../types/catalog.js';
import { Journal, keyOf, placeOf, type Origin } from './journal.js';
import { RecentEnds } from './recent-ends.js';

/** An object under the key that metamanager has it under, undefined when there is none any more. */
export interface CopyItem {
  readonly key: string;
  readonly object: StoredObject | undefined;
  /** Tells states of one cloud version apart, when the node itself has changed the object since. */
  readonly local?: string;
}

/** Between the cloud's version and what tells the node's own states of it apart. */
const LOCAL = '+';

/**
 * The objects that the API serves, with versions of our own. [metaserver-1]
 * Objects of kinds that nobody has told us of wait aside until somebody does.
 */
export class ObjectCopy {
  readonly store: MemoryObjectStore;
  readonly #catalog: TypeCatalog;
  readonly #journal: Journal;
  readonly #origins: WeakMap<object, Origin>;
  /** metamanager's key → where the object is. */
  readonly #places: Map<string, string>;
  readonly #aside: Map<string, StoredObject>;
  readonly #recentEnds = new RecentEnds();
  #turn: Promise<void> = Promise.resolve();

  private constructor(deps: {
    store: MemoryObjectStore; catalog: TypeCatalog; journal: Journal; origins: WeakMap<object, Origin>; places: Map<string, string>; aside: Map<string, StoredObject>;
  }) {
    this.store = deps.store;
    this.#catalog = deps.catalog;
    this.#journal = deps.journal;
    this.#origins = deps.origins;
    this.#places = deps.places;
    this.#aside = deps.aside;
  }

  /** Begins with what metamanager has. What has not changed since the last run keeps its version. */
  static async open(deps: { store: Store; catalog: TypeCatalog }, items: readonly CopyItem[]): Promise<ObjectCopy> {
    const journal = new Journal({ store: deps.store });
    const origins = new WeakMap<object, Origin>();
    const places = new Map<string, string>();
    const aside = new Map<string, StoredObject>();
    const objects = new Map<string, StoredObject>();
    for (const { key, object } of items.map(withLocal)) {
      const place = object && objectPlace(deps.catalog, object);
      if (place !== undefined) {
        places.set(key, place);
        objects.set(place, object as StoredObject);
      } else if (object) aside.set(key, object);
    }
    const opened = await journal.open([...objects].map(([place, object]) => ({ place, ...originOf(object) })));
    const shown = new Map([...objects].map(([place, object]) => [place, object as unknown as KubeObject]));
    const changes = opened.rows.flatMap((row): EarlierChange[] => {
      const key = keyOf(row.place);
      const object = shown.get(row.place) ?? endOf(deps.catalog, key, row.uid);
      if (object === undefined) return [];
      object.metadata.resourceVersion = String(row.version);
      if (row.version <= opened.knownFrom) return [];
      return [{ key, resourceVersion: row.version, createdVersion: row.created, gone: row.gone === 1, object }];
    });
    const store = await MemoryObjectStore.open({
      persistence: {
        load: () => ({
          resourceVersion: opened.version,
          objects: [...shown].map(([place, object]) => ({ key: keyOf(place), object })),
          history: { after: opened.knownFrom, changes },
        }),
        commit: (batch) => journal.commit(batch, ({ object }) => origins.get(object as object) ?? { uid: '', cloudVersion: '' }),
      },
    });
    return new ObjectCopy({ store, catalog: deps.catalog, journal, origins, places, aside });
  }

  /** What the cloud knows the object by. */
  origin(key: ObjectKey): Origin | undefined {
    const origin = this.#journal.origin(key);
    return origin && { ...origin, cloudVersion: origin.cloudVersion.split(LOCAL, 1)[0] ?? '' };
  }

  /** True when the object with that uid has just gone: an answer that still has it was on its way before. */
  hasJustEnded(uid: string | undefined): boolean {
    return this.#recentEnds.has(uid);
  }

  /**
   * Takes over what metamanager says, in the order of the calls. Resolves when clients see it.
   * @throws EdgeError the store's when versions could not be written; the copy is then behind and has to be given everything anew
   */
  apply(items: readonly CopyItem[]): Promise<void> {
    const done = this.#turn.then(() => this.#apply(items.map(withLocal)));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** As `apply`, with everything that metamanager has: what is not among it has gone. */
  replace(items: readonly CopyItem[]): Promise<void> {
    const keys = new Set(items.map(({ key }) => key));
    const gone = [...this.#places.keys(), ...this.#aside.keys()].filter((key) => !keys.has(key)).map((key) => ({ key, object: undefined }));
    return this.apply([...gone, ...items]);
  }

  /** Shows objects whose kind has become known. */
  async settle(): Promise<void> {
    const known = [...this.#aside].filter(([, object]) => objectPlace(this.#catalog, object) !== undefined);
    if (known.length > 0) await this.apply(known.map(([key, object]) => ({ key, object })));
  }

  async #apply(items: readonly CopyItem[]): Promise<void> {
    const states = new Map<string, StoredObject | undefined>();
    for (const { key, object } of items) {
      this.#aside.delete(key);
      const before = this.#places.get(key);
      const place = object && objectPlace(this.#catalog, object);
      if (before !== undefined && before !== place) {
        this.#places.delete(key);
        // Rows of two agents may hold one object under two keys.
        if (![...this.#places.values()].includes(before)) states.set(before, undefined);
      }
      if (object === undefined) continue;
      if (place === undefined) this.#aside.set(key, object);
      else {
        this.#places.set(key, place);
        states.set(place, object);
      }
    }
    // Another object under the name: watchers see the end of the one before the other begins.
    await this.#write([...states].filter(([place, object]) => object === undefined || this.#isOther(place, object)).map(([place]) => [place, undefined]));
    await this.#write([...states].filter(([, object]) => object !== undefined));
  }

  #isOther(place: string, object: StoredObject): boolean {
    const there = this.#journal.origin(keyOf(place));
    const { uid } = originOf(object);
    return there !== undefined && uid !== '' && there.uid !== '' && there.uid !== uid;
  }

  async #write(states: readonly (readonly [string, StoredObject | undefined])[]): Promise<void> {
    const writes = states.flatMap(([place, object]): Promise<unknown>[] => {
      const key = keyOf(place);
      const there = this.store.get(key);
      if (object === undefined) {
        if (there === undefined) return [];
        this.#recentEnds.add(there.metadata.uid);
        return [this.store.remove(key, there.metadata.resourceVersion)];
      }
      const origin = originOf(object);
      const known = this.#journal.origin(key);
      if (there !== undefined && known?.uid === origin.uid && known.cloudVersion === origin.cloudVersion && origin.cloudVersion !== '') return [];
      const next = { ...object, metadata: { ...object.metadata } } as unknown as KubeObject;
      this.#origins.set(next, origin);
      return [there === undefined ? this.store.create(key, next) : this.store.update(key, next, there.metadata.resourceVersion)];
    });
    const results = await Promise.allSettled(writes);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

/** The object under a version that is another one for each state. */
function withLocal({ key, object, local }: CopyItem): CopyItem {
  if (object === undefined || local === undefined) return { key, object };
  return { key, object: { ...object, metadata: { ...object.metadata, resourceVersion: `${object.metadata.resourceVersion ?? ''}${LOCAL}${local}` } } };
}

export function originOf(object: StoredObject): Origin {
  const { uid = '', resourceVersion = '' } = object.metadata;
  return { uid, cloudVersion: resourceVersion };
}

/** Where an object belongs, undefined for a kind that is not known and for what is no object of the API. */
export function objectPlace(catalog: TypeCatalog, object: StoredObject): string | undefined {
  const key = objectKey(catalog, object);
  return key && placeOf(key);
}

export function objectKey(catalog: TypeCatalog, object: StoredObject): ObjectKey | undefined {
  const { apiVersion, kind, metadata } = object;
  const type = catalog.ofKind(String(apiVersion), String(kind));
  const { name, namespace = '' } = metadata;
  if (type === undefined || typeof name !== 'string' || name === '' || typeof namespace !== 'string' || type.namespaced === (namespace === '')) return undefined;
  return { resource: storageName(type), namespace, name };
}

/** What is still known of an object that has gone. */
function endOf(catalog: TypeCatalog, { resource, namespace, name }: ObjectKey, uid: string): KubeObject | undefined {
  const [group = '', version = '', plural = ''] = resource.split('/');
  const type = catalog.registry.find({ group, version, resource: plural });
  if (type === undefined) return undefined;
  const metadata = { name, ...(namespace === '' ? {} : { namespace }), uid, resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind: type.kind, metadata };
}
