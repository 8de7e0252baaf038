import { errorText, type Logger, type Store, type Table, type TableSpec } from '@edge/core';
import { isFields } from '@edge/protocol';
import type { Held } from '../plan/held.js';
import type { HoldingsJournal } from '../plan/holdings.js';
import type { Holding, ObjectKind } from '../plan/plan.js';

/** One thing that is known of a mapper. `kind` is `device`, `model`, or `socket` for the identity of its socket file. */
interface HeldRow {
  mapper: string;
  kind: string;
  id: string;
  /** JSON of what it may hold, or the identity. */
  held: string;
}

const heldTable: TableSpec<HeldRow> = {
  name: 'edge_dmi_held',
  columns: { mapper: 'text', kind: 'text', id: 'text', held: 'text' },
  key: ['mapper', 'kind', 'id'],
};
const SOCKET = 'socket';

/** What is remembered of a mapper from before the agent started. */
export interface Remembered extends Holding {
  readonly identity?: string;
}

/**
 * What mappers may hold, over restarts of the agent: a mapper that has what it is to have is left alone, and one that
 * missed a change gets it. Changes are written behind, those of one moment together.
 */
export class HoldingsStore {
  readonly #store: Store;
  readonly #table: Table<HeldRow>;
  readonly #log: Logger;
  readonly #dirty = new Map<string, HeldRow | Omit<HeldRow, 'held'>>();
  #writing: Promise<void> | undefined;

  constructor(deps: { store: Store; log: Logger }) {
    this.#store = deps.store;
    this.#table = deps.store.table(heldTable);
    this.#log = deps.log;
  }

  remembered(mapper: string): Remembered {
    const models = new Map<string, Held>();
    const devices = new Map<string, Held>();
    let identity: string | undefined;
    for (const row of this.#table.all({ mapper })) {
      if (row.kind === SOCKET) identity = row.held;
      const held = row.kind === SOCKET ? undefined : read(row.held);
      if (held) (row.kind === 'model' ? models : devices).set(row.id, held);
    }
    return { models, devices, ...(identity === undefined ? {} : { identity }) };
  }

  journal(mapper: string): HoldingsJournal {
    return {
      changed: (kind: ObjectKind, id: string, held: Held) =>
        this.#write(held.specs.length === 0 ? { mapper, kind, id } : { mapper, kind, id, held: JSON.stringify(held) }),
    };
  }

  met(mapper: string, identity: string): void {
    this.#write({ mapper, kind: SOCKET, id: '', held: identity });
  }

  /** All of a mapper that is not called any more. */
  forget(mapper: string): void {
    for (const { kind, id } of this.#table.all({ mapper })) this.#write({ mapper, kind, id });
  }

  /** Resolves when all changes so far are on the disk, or have failed to get there. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #write(row: HeldRow | Omit<HeldRow, 'held'>): void {
    this.#dirty.set(`${row.kind} ${row.mapper} ${row.id}`, row);
    this.#writing ??= Promise.resolve().then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      while (this.#dirty.size > 0) {
        const rows = [...this.#dirty.values()];
        this.#dirty.clear();
        await this.#store.commit(() => {
          for (const row of rows) {
            if ('held' in row) this.#table.put(row);
            else this.#table.remove({ mapper: row.mapper, kind: row.kind, id: row.id });
          }
        });
      }
    } catch (error) {
      // Nothing of a user's is lost: after a restart the mapper is asked again for what it may have.
      this.#log.warn('what mappers hold could not be stored', { reason: errorText(error) });
    } finally {
      this.#writing = undefined;
    }
  }
}

function read(text: string): Held | undefined {
  try {
    const held: unknown = JSON.parse(text);
    if (!isFields(held) || typeof held['absent'] !== 'boolean' || !Array.isArray(held['specs'])) return undefined;
    const specs = held['specs'].filter((spec) => typeof spec === 'string');
    return specs.length === 0 ? undefined : { absent: held['absent'], specs };
  } catch {
    return undefined;
  }
}
