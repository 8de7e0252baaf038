import type { KubeObject } from './object.js';

/** Addresses one object in the store. `resource` is `group/plural`, plain `plural` for the core group. */
export interface ObjectKey {
  resource: string;
  /** Empty text for cluster-scoped objects. */
  namespace: string;
  name: string;
}

/** One write. `object` is absent for a removal. */
export interface Change {
  key: ObjectKey;
  resourceVersion: number;
  object: KubeObject | undefined;
}

/** What a persistence gives back at start. */
export interface PersistedState {
  /** The highest version ever given out, removals included. */
  resourceVersion: number;
  objects: Iterable<{ key: ObjectKey; object: KubeObject }>;
  /**
   * What happened before the start, so that watches survive it: one change per object, its last one, in order of version.
   * Complete for all versions above `after`. When absent, history begins at the start.
   */
  history?: { after: number; changes: Iterable<EarlierChange> };
}

/**
 * Where a `MemoryObjectStore` keeps its objects. `commit` is called with one batch at a time, in order of version, and
 * must only return when the batch is durable as a whole; when it rejects, nothing of the batch may remain.
 */
export interface Persistence {
  load(): Promise<PersistedState> | PersistedState;
  commit(changes: readonly Change[]): Promise<void> | void;
}

/** The last change of an object before the start. */
export interface EarlierChange {
  key: ObjectKey;
  resourceVersion: number;
  /** Version of the object's creation: who was there before it sees an addition, or nothing of an object that came and went. */
  createdVersion: number;
  gone: boolean;
  /** As it is, or what is still known of it when it is gone. */
  object: KubeObject;
}

/** One committed change as a watcher sees it. */
export interface StoreEvent {
  type: 'added' | 'modified' | 'deleted';
  key: ObjectKey;
  resourceVersion: number;
  /** The object after the change; for `deleted` its last state with the version of the deletion. */
  object: KubeObject;
  /** The object before the change; absent for `added`. */
  previous: KubeObject | undefined;
  /** A change before the start: `previous` is not known, and of a deleted object only its identity. */
  isOutline?: boolean;
}

export interface StoreListQuery {
  resource: string;
  namespace?: string;
  /** The state as it was at this version. Throws `expired` when history does not reach back that far. */
  atVersion?: number;
}

export interface StoreList {
  /** Ordered by namespace, then name. */
  items: readonly KubeObject[];
  /** The version at which exactly these items were there. */
  resourceVersion: number;
}

export interface StoreWatchQuery {
  resource: string;
  namespace?: string;
  /** Events with a higher version than this are delivered, none twice, none left out. */
  after: number;
}

/**
 * Keeps objects. Reads are synchronous and show committed state only. Writes resolve after they are durable and
 * visible, in order of their version. Objects handed in belong to the store, objects handed out are shared.
 */
export interface ObjectStore {
  /** Version of the newest committed write. */
  readonly resourceVersion: number;
  get(key: ObjectKey): KubeObject | undefined;
  list(query: StoreListQuery): StoreList;
  /** Throws `ApiError` AlreadyExists. Sets metadata.resourceVersion. */
  create(key: ObjectKey, object: KubeObject): Promise<KubeObject>;
  /** Throws `ApiError` NotFound, or Conflict when the newest version is not `expectedVersion`. */
  update(key: ObjectKey, object: KubeObject, expectedVersion: string): Promise<KubeObject>;
  /** Throws as update does. Resolves with the last state, carrying the version of the deletion. */
  remove(key: ObjectKey, expectedVersion: string): Promise<KubeObject>;
  /**
   * First delivers synchronously what history holds, then every change as it is committed, always in order. Throws
   * `ApiError` Expired when history does not reach back. `listener` must not throw and must not wait. Returns the way to stop.
   */
  watch(query: StoreWatchQuery, listener: (event: StoreEvent) => void): () => void;
}
