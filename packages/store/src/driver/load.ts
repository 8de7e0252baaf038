import { StoreError } from '../errors.js';
import type { Driver } from './connection.js';
import { loadLibsql } from './libsql.js';
import { loadNodeSqlite } from './node-sqlite.js';

export type DriverName = Driver['name'];

const LOADERS: Readonly<Record<DriverName, () => Driver | undefined>> = { 'node:sqlite': loadNodeSqlite, libsql: loadLibsql };

/**
 * The named driver, or the best one that is here: Node's own costs no memory beyond itself, the library fills the gap.
 * @throws StoreError `store.no-driver`
 */
export function loadDriver(name?: DriverName): Driver {
  const driver = name === undefined ? (loadNodeSqlite() ?? loadLibsql()) : LOADERS[name]();
  if (driver !== undefined) return driver;
  throw new StoreError(
    'store.no-driver',
    `${name ?? 'SQLite'} cannot be loaded by Node.js ${process.versions.node}: use Node.js 22.13 or newer, or install the package libsql beside the agent`,
  );
}

/** The drivers that can be loaded here. */
export function availableDrivers(): DriverName[] {
  return (Object.keys(LOADERS) as DriverName[]).filter((name) => LOADERS[name]() !== undefined);
}
