import { copyFileSync, chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type LogFields, type Logger } from '@edge/core';
import { afterEach } from 'vitest';
import { loadDriver, type DriverName } from '../src/driver/load.js';
import type { SqlRow } from '../src/driver/connection.js';
import { openStore, type OpenOptions } from '../src/open.js';
import type { OpenedStore } from '../src/sqlite-store.js';

export const golden = new URL('fixtures/edgecore-go-v1.23.1.db', import.meta.url).pathname;

/** Stores and folders of one test file, closed and removed after each test. */
export interface Scene {
  folder(): string;
  /** Opens; without `path` in a folder of its own. */
  open(options?: Partial<OpenOptions>): Promise<OpenedStore>;
  /** A writable copy of the file that Go EdgeCore wrote. */
  copyOfGolden(): string;
}

export function scene(driver?: DriverName): Scene {
  const folders: string[] = [];
  const stores: OpenedStore[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'edge-store-'));
    folders.push(made);
    return made;
  };
  return {
    folder,
    async open(options = {}) {
      const store = await openStore({
        path: join(options.path === undefined ? folder() : '', options.path ?? 'edgecore.db'),
        log: silentLogger,
        ...(driver === undefined ? {} : { driver }),
        ...options,
      });
      stores.push(store);
      return store;
    },
    copyOfGolden() {
      const path = join(folder(), 'edgecore.db');
      copyFileSync(golden, path);
      chmodSync(path, 0o644);
      return path;
    },
  };
}

/** Asks a file directly, past our code. */
export function ask(path: string, sql: string): SqlRow[] {
  const connection = loadDriver().open(path);
  try {
    return connection.prepare(sql).all();
  } finally {
    connection.close();
  }
}

export interface CollectedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export function collectingLog(): { log: Logger; lines: CollectedLine[] } {
  const lines: CollectedLine[] = [];
  const add = (level: string) => (message: string, fields: LogFields = {}) => void lines.push({ level, message, fields });
  const log: Logger = { error: add('error'), warn: add('warn'), info: add('info'), verbose: () => undefined, named: () => log };
  return { log, lines };
}
