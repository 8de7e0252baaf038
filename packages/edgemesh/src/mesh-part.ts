import type { ServiceTable } from './data/service-table.js';

/** Something that lives on the table: names, ways. */
export interface MeshPart {
  /**
   * Works until the signal aborts, then releases all it has and returns.
   * @param ready called once when it serves
   * @throws EdgeError when it cannot; the module then starts anew
   */
  run(table: ServiceTable, signal: AbortSignal, ready: () => void): Promise<void>;
}

/** A part whose code is read when it runs, so that a node without it pays nothing. */
export function partOf(load: () => Promise<MeshPart>): MeshPart {
  return { run: async (table, signal, ready) => (await load()).run(table, signal, ready) };
}
