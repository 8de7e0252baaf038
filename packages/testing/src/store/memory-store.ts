import { EdgeError, type Store, type Table, type TableSpec } from '@edge/core';
import { MemoryTable } from './memory-table.js';

/** The `Store` port without a disk, with the means to play a slow or a failing one. */
export interface MemoryStore extends Store {
  /** From now on nothing becomes durable: promises of commits stay open until `release`. */
  hold(): void;
  /** Ends `hold`; what waited becomes durable. */
  release(): void;
  /** The next group of commits fails as a whole with this error, as on a full disk. */
  failNext(error: unknown): void;
  /** A power cut: what is not durable is gone and its promises reject with `store.commit-lost`. */
  cutPower(): void;
}

interface Group {
  readonly settle: ((error?: unknown) => void)[];
  readonly undo: (() => void)[];
  readonly done: Promise<void>;
}

/** A new, empty store. Commits are grouped and become durable on the next turn of the event loop. */
export function createMemoryStore(): MemoryStore {
  return new GroupedMemoryStore();
}

class GroupedMemoryStore implements MemoryStore {
  readonly #tables = new Map<string, MemoryTable<never>>();
  #group: Group | undefined;
  /** How to undo the unit that runs now; undefined outside units. */
  #unit: (() => void)[] | undefined;
  #held = false;
  #failure: { readonly error: unknown } | undefined;

  table<Row extends object>(spec: TableSpec<Row>): Table<Row> {
    const known = this.#tables.get(spec.name) as MemoryTable<Row> | undefined;
    if (known !== undefined) {
      if (JSON.stringify(known.spec) === JSON.stringify(spec)) return known;
      throw new EdgeError('store.table-conflict', `table ${spec.name} is described in two ways`);
    }
    if (this.#unit !== undefined) throw new EdgeError('store.table-in-commit', `table ${spec.name} must be made before the commit that uses it`);
    const table = new MemoryTable(spec, (undo) => this.#wrote(spec.name, undo));
    this.#tables.set(spec.name, table as unknown as MemoryTable<never>);
    return table;
  }

  async commit<T>(work: () => T): Promise<T> {
    if (this.#unit !== undefined) throw new EdgeError('store.nested-commit', 'commit was called inside the work of a commit');
    const group = this.#group ?? this.#open();
    const result = this.#runUnit(group, work);
    await new Promise<void>((resolve, reject) => {
      group.settle.push((error) => (error === undefined ? resolve() : reject(error as Error)));
    });
    return result;
  }

  async flush(): Promise<void> {
    await this.#group?.done;
  }

  /** What is removed is gone already. */
  async compact(): Promise<void> {
    await this.flush();
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#finish();
  }

  failNext(error: unknown): void {
    this.#failure = { error };
  }

  cutPower(): void {
    this.#fail(new EdgeError('store.commit-lost', 'the power was cut before it was on the disk'));
  }

  #wrote(table: string, undo: () => void): void {
    if (this.#unit === undefined) throw new EdgeError('store.no-commit', `a write to ${table} outside commit`);
    this.#unit.push(undo);
  }

  #open(): Group {
    const settle: Group['settle'] = [];
    const done = new Promise<void>((resolve, reject) => {
      settle.push((error) => (error === undefined ? resolve() : reject(error as Error)));
    });
    done.catch(() => undefined);
    this.#group = { settle, undo: [], done };
    setImmediate(() => this.#finish());
    return this.#group;
  }

  #runUnit<T>(group: Group, work: () => T): T {
    const undo: (() => void)[] = [];
    this.#unit = undo;
    try {
      const result = work();
      if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
        throw new EdgeError('store.async-work', 'the work of a commit must be synchronous; it returned a promise');
      }
      group.undo.push(...undo);
      return result;
    } catch (error) {
      undoAll(undo);
      throw error;
    } finally {
      this.#unit = undefined;
    }
  }

  #finish(): void {
    if (this.#held) return;
    const failure = this.#failure;
    if (failure !== undefined && this.#group !== undefined) {
      this.#failure = undefined;
      this.#fail(failure.error);
      return;
    }
    const group = this.#group;
    this.#group = undefined;
    for (const settle of group?.settle ?? []) settle();
  }

  #fail(error: unknown): void {
    const group = this.#group;
    this.#group = undefined;
    undoAll(group?.undo ?? []);
    for (const settle of group?.settle ?? []) settle(error);
  }
}

function undoAll(steps: (() => void)[]): void {
  for (const step of steps.reverse()) step();
}
