import type { Store, Table, TableSpec } from '@edge/core';

/**
 * How far an action is.
 * - `doing`: this process is at it; after a restart it is done again from its beginning, which does no harm
 * - `waiting`: for the confirmation of somebody at the node
 * - `handed`: another process is at it, and restarts the agent; what came of it is in its report
 * - `ended`: all is told; what is left is tidying up
 */
export type Phase = 'doing' | 'waiting' | 'handed' | 'ended';

/** A job under way, as it survives a restart. */
export interface JobRow {
  /** Resource of the cloud's message; for v1alpha1 with `#` and the stage. */
  resource: string;
  /** Operation of the cloud's message, or of the action that follows by itself; `State` for v1alpha1. */
  action: string;
  phase: Phase;
  /** Content of the cloud's message as JSON. */
  content: string;
  /** Version of the agent before it was handed over; empty before. */
  from_version: string;
}

const jobTable: TableSpec<JobRow> = {
  name: 'edge_node_job',
  columns: { resource: 'text', action: 'text', phase: 'text', content: 'text', from_version: 'text' },
  key: ['resource'],
};

/** The jobs under way. Writes resolve when they are on the disk. */
export class JobRows {
  readonly #store: Store;
  readonly #table: Table<JobRow>;

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#table = deps.store.table<JobRow>(jobTable);
  }

  all(): JobRow[] {
    return this.#table.all({}, { orderBy: ['resource'] });
  }

  get(resource: string): JobRow | undefined {
    return this.#table.get({ resource });
  }

  put(row: JobRow): Promise<void> {
    return this.#store.commit(() => void this.#table.put(row));
  }

  remove(resource: string): Promise<void> {
    return this.#store.commit(() => void this.#table.remove({ resource }));
  }
}
