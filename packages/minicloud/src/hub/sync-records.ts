/** What a node is known to hold of one object, as an ObjectSync or ClusterObjectSync says it. */
export interface SyncRecord {
  readonly node: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly uid: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Version that the node acknowledged; `0` before the first acknowledgement. */
  readonly version: string;
}

/**
 * The records of all nodes. Reads and writes take effect at once; writes become durable a little later, which is
 * safe: a record that is too old only makes a message go out twice.
 */
export interface SyncRecords {
  get(node: string, uid: string): SyncRecord | undefined;
  of(node: string): readonly SyncRecord[];
  put(record: SyncRecord): void;
  remove(node: string, uid: string): void;
  /** Forgets a node. */
  removeNode(node: string): void;
  /** Waits until all writes so far are durable. */
  flush(): Promise<void>;
}

/** Where records are kept. Failures are retried by the caller, so each call may be repeated. */
export interface SyncRecordStorage {
  load(): Promise<SyncRecord[]>;
  save(record: SyncRecord): Promise<void>;
  remove(record: SyncRecord): Promise<void>;
}

/** Records in memory with a write-behind storage: per record only the last state is written. */
export class WriteBehindSyncRecords implements SyncRecords {
  readonly #storage: SyncRecordStorage;
  readonly #onFailure: (error: unknown) => void;
  readonly #nodes = new Map<string, Map<string, SyncRecord>>();
  readonly #dirty = new Map<string, SyncRecord>();
  #writer: Promise<void> | undefined;

  constructor(deps: { storage: SyncRecordStorage; onFailure: (error: unknown) => void }) {
    this.#storage = deps.storage;
    this.#onFailure = deps.onFailure;
  }

  async load(): Promise<void> {
    for (const record of await this.#storage.load()) this.#nodeOf(record.node).set(record.uid, record);
  }

  get(node: string, uid: string): SyncRecord | undefined {
    return this.#nodes.get(node)?.get(uid);
  }

  of(node: string): readonly SyncRecord[] {
    return [...(this.#nodes.get(node)?.values() ?? [])];
  }

  put(record: SyncRecord): void {
    this.#nodeOf(record.node).set(record.uid, record);
    this.#touch(record);
  }

  remove(node: string, uid: string): void {
    const record = this.get(node, uid);
    if (!record) return;
    this.#nodes.get(node)?.delete(uid);
    this.#touch(record);
  }

  removeNode(node: string): void {
    for (const record of this.of(node)) this.remove(node, record.uid);
  }

  async flush(): Promise<void> {
    while (this.#writer) await this.#writer;
  }

  #nodeOf(node: string): Map<string, SyncRecord> {
    let records = this.#nodes.get(node);
    if (!records) this.#nodes.set(node, (records = new Map()));
    return records;
  }

  #touch(record: SyncRecord): void {
    this.#dirty.set(`${record.node}.${record.uid}`, record);
    this.#start();
  }

  #start(): void {
    if (this.#dirty.size === 0) return;
    this.#writer ??= this.#write().finally(() => {
      this.#writer = undefined;
      // What came between the end of the loop and here would wait for the next change.
      this.#start();
    });
  }

  async #write(): Promise<void> {
    while (this.#dirty.size > 0) {
      // All that became dirty meanwhile goes into one group, which the store turns into one commit.
      const batch = [...this.#dirty.values()];
      this.#dirty.clear();
      await Promise.all(batch.map((record) => this.#writeOne(record)));
    }
  }

  async #writeOne(record: SyncRecord): Promise<void> {
    const current = this.get(record.node, record.uid);
    try {
      await (current ? this.#storage.save(current) : this.#storage.remove(record));
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
