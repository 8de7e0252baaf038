import type { Connection } from './driver/connection.js';
import { StoreError } from './errors.js';

/** How much one write to the disk may carry; a group that reaches a limit is written at once. */
export interface GroupLimits {
  readonly units: number;
  /** Characters of text written. */
  readonly characters: number;
}

interface Group {
  readonly settle: ((error?: unknown) => void)[];
  readonly done: Promise<void>;
  readonly timer: NodeJS.Immediate;
  characters: number;
}

/**
 * Many units, one transaction, one flush of the disk. A unit runs at once inside a savepoint; the transaction is
 * committed on the next turn of the event loop. While the disk flushes, the loop stands still and work piles up, so
 * the slower the disk, the larger the next group.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #limits: GroupLimits;
  readonly #begin;
  readonly #savepoint;
  readonly #release;
  readonly #undo;
  readonly #commit;
  #group: Group | undefined;
  #inUnit = false;

  constructor(deps: { connection: Connection; limits: GroupLimits }) {
    this.#connection = deps.connection;
    this.#limits = deps.limits;
    this.#begin = deps.connection.prepare('BEGIN IMMEDIATE');
    this.#savepoint = deps.connection.prepare('SAVEPOINT unit');
    this.#release = deps.connection.prepare('RELEASE unit');
    this.#undo = deps.connection.prepare('ROLLBACK TO unit');
    this.#commit = deps.connection.prepare('COMMIT');
  }

  /** True while the work of a unit runs: the only time when writes are legal. */
  get inUnit(): boolean {
    return this.#inUnit;
  }

  /** Counts towards the size of the group. */
  wrote(characters: number): void {
    if (this.#group !== undefined) this.#group.characters += characters;
  }

  async run<T>(work: () => T): Promise<T> {
    if (this.#inUnit) throw new StoreError('store.nested-commit', 'commit was called inside the work of a commit; do both in one unit');
    const group = this.#group ?? this.#open();
    const result = this.#runUnit(work);
    const durable = new Promise<void>((resolve, reject) => {
      group.settle.push((error) => (error === undefined ? resolve() : reject(error as Error)));
    });
    if (group.settle.length >= this.#limits.units || group.characters >= this.#limits.characters) this.commitNow();
    await durable;
    return result;
  }

  /** Resolves when all units so far are on the disk; rejects when they could not be written. */
  flush(): Promise<void> {
    return this.#group?.done ?? Promise.resolve();
  }

  /** Writes the open group now. Failures go to the promises of its units. */
  commitNow(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#close(group);
    try {
      this.#commit.run();
    } catch (error) {
      // SQLite may have rolled back by itself; else the transaction must not stay open for the next group.
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      for (const settle of group.settle) settle(error);
      return;
    }
    for (const settle of group.settle) settle();
  }

  #open(): Group {
    this.#begin.run();
    const settle: Group['settle'] = [];
    const done = new Promise<void>((resolve, reject) => {
      settle.push((error) => (error === undefined ? resolve() : reject(error as Error)));
    });
    // Those who asked for a unit hear of a failure through its own promise; nobody may be listening to this one.
    done.catch(() => undefined);
    this.#group = { settle, done, timer: setImmediate(() => this.commitNow()), characters: 0 };
    return this.#group;
  }

  #close(group: Group): void {
    clearImmediate(group.timer);
    this.#group = undefined;
  }

  #runUnit<T>(work: () => T): T {
    this.#savepoint.run();
    this.#inUnit = true;
    try {
      const result = work();
      if (isThenable(result)) {
        throw new StoreError('store.async-work', 'the work of a commit must be synchronous; it returned a promise');
      }
      this.#release.run();
      return result;
    } catch (error) {
      this.#undoUnit(error);
      throw error;
    } finally {
      this.#inUnit = false;
    }
  }

  /** A full disk can make SQLite roll back the whole transaction; then all units of the group are gone and must hear it. */
  #undoUnit(cause: unknown): void {
    try {
      this.#undo.run();
      this.#release.run();
    } catch {
      const group = this.#group;
      if (group === undefined) return;
      this.#close(group);
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      const lost = new StoreError('store.commit-lost', 'undone together with a unit that the database could not write', { cause });
      for (const settle of group.settle) settle(lost);
    }
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
