import { chmodSync, existsSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@edge/core';
import type { Connection, Driver } from './driver/connection.js';
import { loadDriver, type DriverName } from './driver/load.js';
import { fileError } from './errors.js';
import * as files from './files.js';
import { keptText, lostText, type OpenReport, type SetAside } from './report.js';
import { findDamage } from './salvage/damage.js';
import { salvage } from './salvage/salvage.js';
import { BUSY_TIMEOUT, SqliteStore, type OpenedStore } from './sqlite-store.js';

export interface OpenOptions {
  /** The database file: `database.dataSource` of the configuration. Its folder is made when it is missing. */
  readonly path: string;
  readonly log: Logger;
  /** Default: `node:sqlite` where Node.js has it, else `libsql`. */
  readonly driver?: DriverName;
  /** Damaged files that are kept beside the database. Default 3. */
  readonly keepSetAside?: number;
  /** Units per write to the disk at most. Default 1000. */
  readonly groupUnits?: number;
  /** Characters of text per write to the disk before it is made at once. Default 4 Mi. */
  readonly groupCharacters?: number;
  /** Clock for the names of files that are set aside. */
  readonly now?: () => Date;
}

/** Files up to this size are checked with their indexes, larger ones without: start must stay fast. */
const THOROUGH_UP_TO = 16 * 1024 * 1024;
/** Keeps the write-ahead log from staying large after a burst, bytes. */
const LOG_LIMIT = 4 * 1024 * 1024;

/**
 * Opens the agent's database, whatever its state. A damaged file is set aside and what can be read from it goes into a
 * fresh one; `report` and the log say so. Only a path that cannot be written stops the start.
 * @throws StoreError `store.cannot-open`, `store.read-only`, `store.disk-full`, `store.busy`, `store.io`, `store.no-driver`
 */
export async function openStore(options: OpenOptions): Promise<OpenedStore> {
  const driver = loadDriver(options.driver);
  const path = files.preparePath(options.path);
  files.mustBeWritable(path);

  let setAside = resumeSalvage(driver, path);
  const found = files.inspect(path);
  const damage = found === 'file' ? findDamage(driver, path, checkOptions(path)) : describe(found);
  if (damage !== undefined) setAside = replaceDamaged(driver, path, damage, (options.now ?? (() => new Date()))());
  if (setAside !== undefined) files.pruneAside(path, options.keepSetAside ?? 3, setAside.path);
  if (!existsSync(path)) createEmpty(driver, path);

  const connection = connect(driver, path);
  const report: OpenReport = {
    path,
    driver: driver.name,
    sqlite: String(connection.prepare('SELECT sqlite_version() AS version').get()?.['version']),
    created: found === 'nothing' || setAside !== undefined,
    ...(setAside === undefined ? {} : { setAside }),
  };
  announce(options.log, report);
  const limits = { units: options.groupUnits ?? 1000, characters: options.groupCharacters ?? 4 * 1024 * 1024 };
  return new SqliteStore({ connection, report, limits, log: options.log });
}

/** A file that no agent has filled, or none at all, or something else in its place. */
function describe(found: files.Found): string | undefined {
  switch (found) {
    case 'empty':
      return 'the file was empty';
    case 'folder':
      return 'there was a folder in its place';
    case 'other':
      return 'there was something else than a file in its place';
    default:
      return undefined;
  }
}

function checkOptions(path: string): { thorough: boolean; busyTimeout: number } {
  return { thorough: statSync(path).size <= THOROUGH_UP_TO, busyTimeout: BUSY_TIMEOUT };
}

function connect(driver: Driver, path: string): Connection {
  const connection = driver.open(path);
  try {
    // The file holds Secrets in clear; the Go agent leaves it readable for all.
    chmodSync(path, 0o600);
    connection.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT}`);
    connection.prepare('PRAGMA journal_mode=WAL').all();
    connection.exec('PRAGMA synchronous=FULL');
    connection.exec(`PRAGMA journal_size_limit=${LOG_LIMIT}`);
    return connection;
  } catch (error) {
    connection.close();
    throw fileError(path, error);
  }
}

/** By way of another name, so that a start which is cut off never leaves an empty file that looks like a loss. */
function createEmpty(driver: Driver, path: string): void {
  const fresh = `${path}.new`;
  try {
    salvage(driver, undefined, fresh);
    // Somebody deleted the database and left its log, which SQLite would play into this one.
    files.removeCompanions(path);
    renameSync(fresh, path);
    files.syncFolder(dirname(path));
  } catch (error) {
    files.removeWithCompanions(fresh);
    throw fileError(path, error);
  }
}

function replaceDamaged(driver: Driver, path: string, reason: string, now: Date): SetAside {
  const aside = files.asideName(path, now);
  files.writeNote(path, { aside, reason });
  files.moveWithCompanions(path, aside);
  return finishSalvage(driver, path, { aside, reason });
}

/** A start that was cut off between moving the damaged file and putting the new one in place. */
function resumeSalvage(driver: Driver, path: string): SetAside | undefined {
  const note = files.readNote(path);
  let setAside: SetAside | undefined;
  if (note !== undefined && !existsSync(path)) {
    files.moveCompanions(path, note.aside);
    setAside = finishSalvage(driver, path, note);
  }
  files.removeNote(path);
  return setAside;
}

function finishSalvage(driver: Driver, path: string, note: files.SalvageNote): SetAside {
  const fresh = `${path}.new`;
  try {
    const readable = files.inspect(note.aside) === 'file';
    const tables = salvage(driver, readable ? note.aside : undefined, fresh);
    renameSync(fresh, path);
    files.syncFolder(dirname(path));
    files.removeNote(path);
    files.removeSharedMemory(note.aside);
    return { path: note.aside, reason: note.reason, tables };
  } catch (error) {
    // The note stays: the next start, with space on the disk, goes on from here.
    files.removeWithCompanions(fresh);
    throw fileError(path, error);
  }
}

function announce(log: Logger, report: OpenReport): void {
  const { setAside } = report;
  if (setAside === undefined) {
    log.info('database opened', { path: report.path, driver: report.driver, sqlite: report.sqlite, created: report.created });
    return;
  }
  log.error('database was damaged: set aside, and what could be read was copied to a fresh one', {
    path: report.path,
    setAside: setAside.path,
    reason: setAside.reason,
    kept: keptText(setAside.tables),
    lost: lostText(setAside),
  });
}
