import { alreadyExists, conflict, expired, notFound, tooLargeResourceVersion, type ApiError, type Subject } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { Change, ObjectKey, ObjectStore, Persistence, StoreEvent, StoreList, StoreListQuery, StoreWatchQuery } from '../types/store.js';
import { Bucket, inNamespace, memberKey, type Watcher } from './bucket.js';
import { WriteQueue } from './write-queue.js';

export interface MemoryObjectStoreOptions {
  persistence?: Persistence;
  /** Changes kept per resource for watches and consistent paging; 2,000 when absent. */
  historyLimit?: number;
}

const subjectOf = (key: ObjectKey): Subject => {
  const slash = key.resource.indexOf('/');
  return { group: slash < 0 ? '' : key.resource.slice(0, slash), resource: key.resource.slice(slash + 1), name: key.name };
};

/** All objects in memory, each write first made durable by the persistence (when there is one). */
export class MemoryObjectStore implements ObjectStore {
  readonly #buckets = new Map<string, Bucket>();
  readonly #queue: WriteQueue;
  readonly #historyLimit: number;
  /** Every change above this version is known. */
  readonly #historyFrom: number;
  #assigned: number;
  #committed: number;

  private constructor(deps: { options: MemoryObjectStoreOptions; resourceVersion: number; historyFrom: number | undefined }) {
    this.#historyLimit = deps.options.historyLimit ?? 2000;
    // Version 0 means "any" to clients, so an empty store begins at 1.
    this.#committed = Math.max(1, deps.resourceVersion);
    this.#assigned = this.#committed;
    this.#historyFrom = deps.historyFrom ?? this.#committed;
    this.#queue = new WriteQueue({ persistence: deps.options.persistence, apply: (change) => this.#apply(change) });
  }

  /** Loads everything the persistence holds. */
  static async open(options: MemoryObjectStoreOptions = {}): Promise<MemoryObjectStore> {
    const state = await options.persistence?.load();
    const store = new MemoryObjectStore({ options, resourceVersion: state?.resourceVersion ?? 0, historyFrom: state?.history?.after });
    for (const { key, object } of state?.objects ?? []) store.#bucket(key.resource).load(key, object);
    for (const change of state?.history?.changes ?? []) store.#bucket(change.key.resource).recall(change);
    return store;
  }

  get resourceVersion(): number {
    return this.#committed;
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#buckets.get(key.resource)?.get(memberKey(key));
  }

  list(query: StoreListQuery): StoreList {
    if (query.atVersion !== undefined && query.atVersion > this.#committed) throw tooLargeResourceVersion(query.atVersion, this.#committed);
    return {
      items: this.#bucket(query.resource).list(query.namespace, query.atVersion),
      resourceVersion: query.atVersion ?? this.#committed,
    };
  }

  async create(key: ObjectKey, object: KubeObject): Promise<KubeObject> {
    if (this.#latest(key) !== undefined) throw await this.#afterPending(key, alreadyExists(subjectOf(key)));
    return this.#write(key, object, false);
  }

  async update(key: ObjectKey, object: KubeObject, expectedVersion: string): Promise<KubeObject> {
    const refusal = this.#refusal(key, expectedVersion);
    if (refusal !== undefined) throw await this.#afterPending(key, refusal);
    return this.#write(key, object, false);
  }

  async remove(key: ObjectKey, expectedVersion: string): Promise<KubeObject> {
    const refusal = this.#refusal(key, expectedVersion);
    if (refusal !== undefined) throw await this.#afterPending(key, refusal);
    const latest = this.#latest(key) as KubeObject;
    return this.#write(key, { ...latest, metadata: { ...latest.metadata } }, true);
  }

  watch(query: StoreWatchQuery, listener: (event: StoreEvent) => void): () => void {
    // A version from the future was written by a store whose end was lost: the client must list again.
    if (query.after > this.#committed) throw expired(query.after, this.#committed);
    const bucket = this.#bucket(query.resource);
    for (const event of bucket.since(query.after)) if (inNamespace(event.key, query.namespace)) listener(event);
    const watcher: Watcher = { namespace: query.namespace, listener };
    bucket.watchers.add(watcher);
    return () => bucket.watchers.delete(watcher);
  }

  #bucket(resource: string): Bucket {
    let bucket = this.#buckets.get(resource);
    if (bucket === undefined) {
      bucket = new Bucket({ floor: this.#historyFrom, historyLimit: this.#historyLimit });
      this.#buckets.set(resource, bucket);
    }
    return bucket;
  }

  /** State after all accepted writes, committed or not. */
  #latest(key: ObjectKey): KubeObject | undefined {
    const pending = this.#queue.pending(key);
    return pending === undefined ? this.get(key) : pending.object;
  }

  /** Synchronous, so that no other write can come between this check and the write. */
  #refusal(key: ObjectKey, version: string): ApiError | undefined {
    const latest = this.#latest(key);
    if (latest === undefined) return notFound(subjectOf(key));
    if (latest.metadata.resourceVersion === version) return undefined;
    return conflict(subjectOf(key), `version ${version} is not the newest (${latest.metadata.resourceVersion}); read it again and repeat the change`);
  }

  /** A refusal because of a write under way is given when that write is visible, so that a retry sees it. */
  async #afterPending(key: ObjectKey, error: ApiError): Promise<ApiError> {
    await this.#queue.pending(key)?.settled;
    return error;
  }

  #write(key: ObjectKey, object: KubeObject, removal: boolean): Promise<KubeObject> {
    this.#assigned += 1;
    object.metadata.resourceVersion = String(this.#assigned);
    return this.#queue.add({ key, resourceVersion: this.#assigned, object: removal ? undefined : object }, object);
  }

  #apply({ change, state }: { change: Change; state: KubeObject }): void {
    const bucket = this.#bucket(change.key.resource);
    const previous = bucket.get(memberKey(change.key));
    const type = change.object === undefined ? 'deleted' : previous === undefined ? 'added' : 'modified';
    this.#committed = change.resourceVersion;
    bucket.apply({ type, key: change.key, resourceVersion: change.resourceVersion, object: state, previous });
  }
}
