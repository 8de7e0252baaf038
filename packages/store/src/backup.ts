import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Connection } from './driver/connection.js';
import { fileError } from './errors.js';
import { syncFile, syncFolder } from './files.js';

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The error that led here says what is wrong with the path.
  }
}

/** Copies the database through `connection` to `path`, by way of a file beside it. */
export function writeBackup(connection: Connection, path: string): void {
  const target = resolve(path);
  const partial = `${target}.partial`;
  try {
    rmSync(partial, { force: true });
    // Made by us first, because SQLite would make it readable for all, and it holds tokens.
    const created = openSync(partial, 'wx', 0o600);
    fsyncSync(created);
    closeSync(created);
    connection.prepare('VACUUM INTO ?1').run([partial]);
    syncFile(partial);
    renameSync(partial, target);
    syncFolder(dirname(target));
  } catch (error) {
    discard(partial);
    throw fileError(target, error);
  }
}
