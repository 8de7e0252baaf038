import type { Store, Table, TableSpec } from '@edge/core';
import { ApiError } from '@edge/kubeapi';
import type { ApplicationRequest } from '../cloud/application.js';

/** Changes that may wait, and bytes that they may take. */
const MOST = 1000;
const MOST_BYTES = 8 * 1024 * 1024;
/** Results that are kept, newest first. */
const RESULTS = 200;

export type Phase = 'Waiting' | 'Done' | 'Refused';

export interface WaitingRow {
  readonly id: number;
  /** `KIND-OF-OBJECT|NAMESPACE|NAME`: changes of one place are made in order. */
  readonly place: string;
  readonly api_version: string;
  readonly kind: string;
  /** JSON of the request to the cloud; empty when it is over. */
  readonly request: string;
  readonly phase: Phase;
  readonly user_name: string;
  /** How often it went to the cloud; counted before it does. */
  readonly tries: number;
  /** Milliseconds since the epoch; 0 for not yet. */
  readonly added: number;
  readonly ended: number;
  /** What the cloud said last. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

const waitingTable: TableSpec<WaitingRow> = {
  name: 'edge_metaserver_waiting',
  columns: {
    id: 'integer', place: 'text', api_version: 'text', kind: 'text', request: 'text', phase: 'text', user_name: 'text', tries: 'integer', added: 'integer', ended: 'integer',
    code: 'integer', reason: 'text', message: 'text',
  },
  key: ['id'],
  autoIncrement: true,
};

export interface NewChange {
  readonly place: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly user: string;
  readonly request: ApplicationRequest;
  /** It went to the cloud already, and no answer came. */
  readonly isTried: boolean;
}

export interface Result {
  readonly phase: 'Done' | 'Refused';
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

/** Changes that wait for the cloud, and what became of the last ones. Everything is on the disk before anybody hears of it. */
export class WaitingQueue {
  readonly #store: Store;
  readonly #table: Table<WaitingRow>;
  readonly #waiting = new Map<number, WaitingRow>();
  #bytes = 0;

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#table = deps.store.table(waitingTable);
    for (const row of this.#table.all({ phase: 'Waiting' }, { orderBy: ['id'] })) this.#hold(row);
  }

  /** In the order in which they came. */
  get waiting(): readonly WaitingRow[] {
    return [...this.#waiting.values()];
  }

  /** Those that wait and the results that are kept, oldest first. */
  all(): readonly WaitingRow[] {
    return this.#table.all({}, { orderBy: ['id'] });
  }

  waitsFor(place: string): boolean {
    return this.waiting.some((row) => row.place === place);
  }

  /** @throws ApiError ServiceUnavailable when as many wait as may; the store's when it could not be written */
  async add({ place, apiVersion, kind, user, request, isTried }: NewChange): Promise<number> {
    const text = JSON.stringify(request);
    if (this.#waiting.size >= MOST || this.#bytes + text.length > MOST_BYTES) {
      throw new ApiError('ServiceUnavailable', `${this.#waiting.size} changes of ${this.#bytes} bytes wait for the cloud already; there may be ${MOST} of ${MOST_BYTES} bytes`);
    }
    const row = { place, api_version: apiVersion, kind, request: text, phase: 'Waiting' as const, user_name: user, tries: isTried ? 1 : 0, added: Date.now(), ended: 0, code: 0, reason: '', message: '' };
    // The number is the database's; put takes a row without one.
    const id = await this.#store.commit(() => this.#table.put(row as WaitingRow));
    this.#hold({ ...row, id });
    return id;
  }

  /** Before it goes to the cloud. */
  begin(row: WaitingRow): Promise<WaitingRow> {
    return this.#keep({ ...row, tries: row.tries + 1 });
  }

  /** It has to be tried once more. */
  postpone(row: WaitingRow, message: string): Promise<WaitingRow> {
    return this.#keep({ ...row, message });
  }

  /** It is over; the oldest results beyond those that are kept go. */
  async end(row: WaitingRow, result: Result): Promise<void> {
    await this.#store.commit(() => {
      this.#table.put({ ...row, ...result, request: '', ended: Date.now() });
      const over = this.#table.all({ phase: ['Done', 'Refused'] }, { orderBy: ['id'], descending: true }).slice(RESULTS);
      if (over.length > 0) this.#table.remove({ id: over.map(({ id }) => id) });
    });
    this.#release(row.id);
  }

  /** Forgets a change, or a result. False when there is none. */
  async remove(id: number): Promise<boolean> {
    const gone = await this.#store.commit(() => this.#table.remove({ id }));
    this.#release(id);
    return gone > 0;
  }

  /** False when it was given up meanwhile. */
  has(id: number): boolean {
    return this.#waiting.has(id);
  }

  async #keep(row: WaitingRow): Promise<WaitingRow> {
    if (!this.has(row.id)) return row;
    await this.#store.commit(() => this.#table.put(row));
    if (this.has(row.id)) this.#waiting.set(row.id, row);
    return row;
  }

  #hold(row: WaitingRow): void {
    this.#waiting.set(row.id, row);
    this.#bytes += row.request.length;
  }

  #release(id: number): void {
    this.#bytes -= this.#waiting.get(id)?.request.length ?? 0;
    this.#waiting.delete(id);
  }
}
