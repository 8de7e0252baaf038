import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError } from './errors.js';

/** SQLite's files beside a database. */
const COMPANIONS = ['-wal', '-shm', '-journal'] as const;

/** What stands at a path. */
export type Found = 'nothing' | 'empty' | 'file' | 'folder' | 'other';

export function inspect(path: string): Found {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'nothing';
  if (stat.isDirectory()) return 'folder';
  if (!stat.isFile()) return 'other';
  return stat.size === 0 ? 'empty' : 'file';
}

/** Absolute path, links resolved, its folder made. @throws StoreError when the folder cannot be made */
export function preparePath(path: string): string {
  const absolute = resolve(path);
  try {
    makeFolder(dirname(absolute));
    return existsSync(absolute) ? realpathSync(absolute) : absolute;
  } catch (error) {
    throw fileError(absolute, error);
  }
}

/** One level at a time, because Node's own recursive way never returns where the kernel refuses new names, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o755 });
}

/** Proves that the folder takes new files, because SQLite needs to put its log beside the database. */
export function mustBeWritable(path: string): void {
  const probe = `${path}.probe`;
  try {
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
    // Not by opening it: closing a file drops the locks that SQLite in this process holds on it.
    if (inspect(path) === 'file') accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A free name for a file that is set aside: `<path>.corrupt-20240131T235959Z`. */
export function asideName(path: string, now: Date): string {
  const stem = `${path}.corrupt-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  let name = stem;
  for (let count = 2; existsSync(name); count++) name = `${stem}-${count}`;
  return name;
}

/** Moves a file with its companions; the shared memory is none, it is made anew from the log. */
export function moveWithCompanions(from: string, to: string): void {
  try {
    renameSync(from, to);
    moveCompanions(from, to);
  } catch (error) {
    throw fileError(from, error);
  }
}

/** The second half of a move. A log left behind would be played into the next database of that name. */
export function moveCompanions(from: string, to: string): void {
  rmSync(`${from}-shm`, { force: true });
  for (const suffix of COMPANIONS) if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
  syncFolder(dirname(to));
}

export function removeCompanions(path: string): void {
  for (const suffix of COMPANIONS) rmSync(path + suffix, { force: true });
}

/** What a reader of a file that is set aside leaves behind. */
export function removeSharedMemory(path: string): void {
  rmSync(`${path}-shm`, { force: true });
}

export function removeWithCompanions(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true });
    removeCompanions(path);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Keeps `current` and the newest others, `keep` in all; their names sort by time, but a clock may have been reset. */
export function pruneAside(path: string, keep: number, current: string): void {
  const prefix = `${basename(path)}.corrupt-`;
  const names = readdirSync(dirname(path)).filter(
    (name) => name.startsWith(prefix) && name !== basename(current) && !COMPANIONS.some((suffix) => name.endsWith(suffix)),
  );
  for (const name of names.sort().reverse().slice(keep - 1)) removeWithCompanions(join(dirname(path), name));
}

/**
 * A note beside the database while a damaged file is being replaced. A start that finds it, and no database, goes on
 * with the salvage that was cut off.
 */
export interface SalvageNote {
  readonly aside: string;
  readonly reason: string;
}

const notePath = (path: string): string => `${path}.salvaging`;

export function writeNote(path: string, note: SalvageNote): void {
  try {
    writeFileSync(notePath(path), JSON.stringify(note), { mode: 0o600, flush: true });
    syncFolder(dirname(path));
  } catch (error) {
    throw fileError(notePath(path), error);
  }
}

export function readNote(path: string): SalvageNote | undefined {
  if (!existsSync(notePath(path))) return undefined;
  try {
    const note = JSON.parse(readFileSync(notePath(path), 'utf8')) as SalvageNote;
    return typeof note.aside === 'string' && existsSync(note.aside) ? note : undefined;
  } catch {
    // Cut off while it was written: then nothing had been moved yet.
    return undefined;
  }
}

export function removeNote(path: string): void {
  rmSync(notePath(path), { force: true });
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes a rename in that folder survive a power cut. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
