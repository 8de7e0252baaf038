import { ApiError } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { Change, ObjectKey, Persistence } from '../types/store.js';

interface Entry {
  change: Change;
  /** The object to answer with: for a removal its last state. */
  state: KubeObject;
  resolve: (object: KubeObject) => void;
  reject: (error: unknown) => void;
  settled: Promise<void>;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const idOf = (key: ObjectKey): string => `${key.resource}\n${key.namespace}/${key.name}`;

/** Writes in order, one batch at a time; what arrives while a batch is being made durable forms the next one. */
export class WriteQueue {
  readonly #persistence: Persistence | undefined;
  readonly #apply: (entry: { change: Change; state: KubeObject }) => void;
  readonly #pending = new Map<string, Entry>();
  #waiting: Entry[] = [];
  #running = false;

  constructor(deps: { persistence: Persistence | undefined; apply: (entry: { change: Change; state: KubeObject }) => void }) {
    this.#persistence = deps.persistence;
    this.#apply = deps.apply;
  }

  /** The newest write of this key that is not committed yet. */
  pending(key: ObjectKey): { object: KubeObject | undefined; settled: Promise<void> } | undefined {
    const entry = this.#pending.get(idOf(key));
    return entry === undefined ? undefined : { object: entry.change.object, settled: entry.settled };
  }

  /** Resolves with `state` when the change is durable and applied. */
  add(change: Change, state: KubeObject): Promise<KubeObject> {
    if (this.#persistence === undefined) {
      this.#apply({ change, state });
      return Promise.resolve(state);
    }
    return new Promise<KubeObject>((resolve, reject) => {
      let settle: () => void = () => undefined;
      const settled = new Promise<void>((done) => { settle = done; });
      const entry: Entry = {
        change, state, settled,
        resolve: (object) => { settle(); resolve(object); },
        reject: (error) => { settle(); reject(error as Error); },
      };
      this.#pending.set(idOf(change.key), entry);
      this.#waiting.push(entry);
      if (!this.#running) void this.#run(this.#persistence as Persistence);
    });
  }

  /** Never rejects: every failure reaches the writers it concerns. */
  async #run(persistence: Persistence): Promise<void> {
    this.#running = true;
    // All requests of one turn of the event loop share one commit.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await persistence.commit(batch.map((entry) => entry.change));
      } catch (cause) {
        this.#failAll([...batch, ...this.#waiting], cause);
        continue;
      }
      for (const entry of batch) {
        if (this.#pending.get(idOf(entry.change.key)) === entry) this.#pending.delete(idOf(entry.change.key));
        this.#apply(entry);
        entry.resolve(entry.state);
      }
    }
    this.#running = false;
  }

  /** Later writes may build on those that failed, so they fail too. */
  #failAll(entries: readonly Entry[], cause: unknown): void {
    this.#waiting = [];
    this.#pending.clear();
    const why = cause instanceof Error ? cause.message : String(cause);
    for (const entry of entries) entry.reject(new ApiError('InternalError', `the write could not be made durable: ${why}`, {}, { cause }));
  }
}
