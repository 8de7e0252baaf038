import type { Store, Table, TableSpec } from '@edge/core';
import type { Change, ObjectKey } from '@edge/kubeapi';
import { ENDS_KEPT, reconcileJournal, WHOLE, type JournalRow, type Present } from './journal-rows.js';

const journalTable: TableSpec<JournalRow> = {
  name: 'edge_metaserver_object',
  columns: { place: 'text', version: 'integer', created: 'integer', uid: 'text', cloud_version: 'text', gone: 'integer' },
  key: ['place'],
};

/** What the cloud knows an object by. */
export interface Origin {
  readonly uid: string;
  readonly cloudVersion: string;
}

export const placeOf = ({ resource, namespace, name }: ObjectKey): string => `${resource}|${namespace}|${name}`;

export function keyOf(place: string): ObjectKey {
  const [resource = '', namespace = '', name = ''] = place.split('|');
  return { resource, namespace, name };
}

/** The table that makes versions survive a restart. Every version is on the disk before a client sees it. */
export class Journal {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #table: Table<JournalRow>;
  readonly #rows = new Map<string, JournalRow>();
  /** Places of objects that are gone, oldest end first. */
  readonly #ends = new Set<string>();
  #knownFrom = 1;

  constructor(deps: { store: Store; now?: () => number }) {
    this.#store = deps.store;
    this.#now = deps.now ?? Date.now;
    this.#table = deps.store.table(journalTable);
  }

  /**
   * Brings the table in step with what is stored; resolves when that is on the disk. An empty table begins at the time in ms: no
   * node makes a thousand changes a second for long, so that is above what a table before this one gave.
   */
  async open(present: readonly Present[]): Promise<{ readonly version: number; readonly knownFrom: number; readonly rows: readonly JournalRow[] }> {
    const { rows, changed, forgotten } = reconcileJournal(this.#table.all(), present, this.#now());
    if (changed.length > 0) {
      await this.#store.commit(() => {
        for (const place of forgotten) this.#table.remove({ place });
        for (const row of changed) this.#table.put(row);
      });
    }
    const whole = rows.find(({ place }) => place === WHOLE) as JournalRow;
    const objects = rows.filter(({ place }) => place !== WHOLE).sort((a, b) => a.version - b.version);
    this.#knownFrom = whole.created;
    for (const row of objects) {
      this.#rows.set(row.place, row);
      if (row.gone === 1) this.#ends.add(row.place);
    }
    return { version: whole.version, knownFrom: whole.created, rows: objects };
  }

  /** What the cloud knows the object by, undefined when it is not there. */
  origin(key: ObjectKey): Origin | undefined {
    const row = this.#rows.get(placeOf(key));
    return row === undefined || row.gone === 1 ? undefined : { uid: row.uid, cloudVersion: row.cloud_version };
  }

  /** @param originOf what the cloud knows the written objects by */
  async commit(changes: readonly Change[], originOf: (change: Change) => Origin): Promise<void> {
    const rows = changes.map((change) => this.#rowOf(change, originOf));
    const version = rows.at(-1)?.version ?? 0;
    const fresh = rows.filter((row) => row.gone === 1).map(({ place }) => place);
    const forgotten = [...this.#ends].slice(0, Math.max(0, this.#ends.size + fresh.length - ENDS_KEPT));
    // Of an object that comes again under its name only the last life is remembered.
    const revived = rows.filter((row) => row.gone === 0).map(({ place }) => this.#rows.get(place)).filter((row) => row?.gone === 1);
    const knownFrom = [...forgotten.map((place) => this.#rows.get(place)), ...revived].reduce((version, row) => Math.max(version, row?.version ?? 0), this.#knownFrom);
    await this.#store.commit(() => {
      for (const place of forgotten) this.#table.remove({ place });
      for (const row of rows) this.#table.put(row);
      this.#table.put({ place: WHOLE, version, created: knownFrom, uid: '', cloud_version: '', gone: 0 });
    });
    this.#knownFrom = knownFrom;
    for (const place of forgotten) {
      this.#ends.delete(place);
      this.#rows.delete(place);
    }
    for (const row of rows) {
      this.#rows.set(row.place, row);
      this.#ends.delete(row.place);
      if (row.gone === 1) this.#ends.add(row.place);
    }
  }

  #rowOf(change: Change, originOf: (change: Change) => Origin): JournalRow {
    const place = placeOf(change.key);
    const before = this.#rows.get(place);
    const version = change.resourceVersion;
    if (change.object === undefined) {
      return { place, version, created: before?.created ?? version, uid: before?.uid ?? '', cloud_version: before?.cloud_version ?? '', gone: 1 };
    }
    const { uid, cloudVersion } = originOf(change);
    const isOld = before !== undefined && before.gone === 0 && before.uid === uid;
    return { place, version, created: isOld ? before.created : version, uid, cloud_version: cloudVersion, gone: 0 };
  }
}
