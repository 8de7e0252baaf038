import { expired } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { EarlierChange, ObjectKey, StoreEvent } from '../types/store.js';

export interface Watcher {
  namespace: string | undefined;
  listener: (event: StoreEvent) => void;
}

/** `namespace/name`, in the order in which lists are given. */
export const memberKey = (key: { namespace: string; name: string }): string => `${key.namespace}/${key.name}`;

/** The committed objects of one resource, what happened to them lately, and who watches. */
export class Bucket {
  readonly watchers = new Set<Watcher>();
  readonly #objects = new Map<string, KubeObject>();
  readonly #historyLimit: number;
  #history: StoreEvent[] = [];
  /** Every event above this version is in the history. */
  #floor: number;
  #order: string[] | undefined;
  readonly #created = new WeakMap<StoreEvent, number>();

  constructor(deps: { floor: number; historyLimit: number }) {
    this.#floor = deps.floor;
    this.#historyLimit = deps.historyLimit;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  /** Puts in an object that was there before history began. */
  load(key: ObjectKey, object: KubeObject): void {
    this.#objects.set(memberKey(key), object);
    this.#order = undefined;
  }

  /** Puts in what happened before the start, oldest first. */
  recall({ key, resourceVersion, createdVersion, gone, object }: EarlierChange): void {
    const event: StoreEvent = { type: gone ? 'deleted' : 'modified', key, resourceVersion, object, previous: undefined, isOutline: true };
    this.#created.set(event, createdVersion);
    this.#history.push(event);
  }

  apply(event: StoreEvent): void {
    const key = memberKey(event.key);
    if (event.type === 'deleted') this.#objects.delete(key);
    else this.#objects.set(key, event.object);
    if (event.type !== 'modified') this.#order = undefined;
    this.#history.push(event);
    // Cut in strides so that cutting costs nothing on average.
    if (this.#history.length >= this.#historyLimit * 2) {
      const cut = this.#history.splice(0, this.#history.length - this.#historyLimit);
      this.#floor = cut.at(-1)?.resourceVersion ?? this.#floor;
    }
    for (const watcher of [...this.watchers]) {
      if (this.watchers.has(watcher) && inNamespace(event.key, watcher.namespace)) watcher.listener(event);
    }
  }

  /** Events after `version`, oldest first. Throws Expired when some of them are gone. */
  since(version: number): StoreEvent[] {
    if (version < this.#floor) throw expired(version, this.#floor);
    let from = this.#history.length;
    while (from > 0 && (this.#history[from - 1] as StoreEvent).resourceVersion > version) from -= 1;
    return this.#history.slice(from).flatMap((event) => this.#seenFrom(version, event));
  }

  /** A change before the start as someone sees it who knew the state at `version`. */
  #seenFrom(version: number, event: StoreEvent): StoreEvent[] {
    if (event.isOutline !== true || (this.#created.get(event) ?? 0) <= version) return [event];
    return event.type === 'deleted' ? [] : [{ ...event, type: 'added' }];
  }

  /** Objects in order of namespace and name, of one namespace if given, now or as they were at `version`. */
  list(namespace: string | undefined, version: number | undefined): KubeObject[] {
    if (version !== undefined) {
      const undo = this.since(version).reverse();
      // An outline does not tell what was there before.
      if (undo.some((event) => event.isOutline)) throw expired(version, this.#floor);
      if (undo.length > 0) return this.#listBefore(undo, namespace);
    }
    this.#order ??= [...this.#objects.keys()].sort();
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    const items: KubeObject[] = [];
    for (let i = firstAtLeast(this.#order, prefix); i < this.#order.length; i += 1) {
      const key = this.#order[i] as string;
      if (!key.startsWith(prefix)) break;
      items.push(this.#objects.get(key) as KubeObject);
    }
    return items;
  }

  #listBefore(undo: readonly StoreEvent[], namespace: string | undefined): KubeObject[] {
    const objects = new Map(this.#objects);
    for (const event of undo) {
      if (event.previous === undefined) objects.delete(memberKey(event.key));
      else objects.set(memberKey(event.key), event.previous);
    }
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort().map((key) => objects.get(key) as KubeObject);
  }
}

export function inNamespace(key: ObjectKey, namespace: string | undefined): boolean {
  return namespace === undefined || key.namespace === namespace;
}

function firstAtLeast(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
