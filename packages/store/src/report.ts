import type { DriverName } from './driver/load.js';

/** What became of one table of a damaged file. */
export interface SalvagedTable {
  readonly name: string;
  /** Rows copied. */
  readonly kept: number;
  /** Rows lost; undefined when the damage hides how many there were. */
  readonly lost: number | undefined;
}

/** A file that could not be used. */
export interface SetAside {
  /** Where it is now, with its companions (`-wal`) beside it. */
  readonly path: string;
  /** What was wrong with it, in words. */
  readonly reason: string;
  /** The tables that were found in it; empty when nothing could be read. */
  readonly tables: readonly SalvagedTable[];
}

/** What was found and done when the database was opened. */
export interface OpenReport {
  /** The file, absolute, links resolved. */
  readonly path: string;
  readonly driver: DriverName;
  /** Version of the SQLite inside the driver. */
  readonly sqlite: string;
  /** True when there was no usable file before. */
  readonly created: boolean;
  /** The damaged file that was replaced; undefined in the ordinary case. */
  readonly setAside?: SetAside;
}

/** `meta 39, meta_v2 20`: for the log. */
export function keptText(tables: readonly SalvagedTable[]): string {
  return tables.map((table) => `${table.name} ${table.kept}`).join(', ') || 'nothing';
}

/** `meta_v2 1, device unknown`: for the log. */
export function lostText(setAside: SetAside): string {
  if (setAside.tables.length === 0) return 'everything that was in it';
  const lost = setAside.tables.filter((table) => table.lost !== 0);
  return lost.map((table) => `${table.name} ${table.lost ?? 'an unknown number'}`).join(', ') || 'nothing';
}
