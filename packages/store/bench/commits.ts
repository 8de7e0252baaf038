import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type Table } from '@edge/core';
import { metaTable, type MetaRow } from '@edge/protocol';
import { openStore, type DriverName, type OpenedStore } from '../src/index.js';

export interface CommitFigures {
  readonly driver: DriverName;
  readonly sqlite: string;
  /** Commits per second, each awaited before the next. */
  readonly oneByOne: number;
  /** Commits per second with 100 of them in flight. */
  readonly grouped: number;
  /** Commits per second of units that change nothing, which cost no write. */
  readonly unchanged: number;
  /** Milliseconds to open the file with its integrity check, and its size in MiB. */
  readonly openMilliseconds: number;
  readonly mebibytes: number;
}

export interface CommitBenchOptions {
  /** Where the file is made; the disk under it decides. Default: the folder for temporary files. */
  readonly folder?: string;
  readonly driver?: DriverName;
  /** Milliseconds per figure. Default 2000. */
  readonly duration?: number;
}

const CHARACTERS = 500;
const IN_FLIGHT = 100;
const KEYS = 10_000;

/** Upserts of 0.5 kB into `meta` at full durability: a commit counts when it would survive a power cut. */
export async function benchCommits(options: CommitBenchOptions = {}): Promise<CommitFigures> {
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'edge-bench-store-'));
  const path = join(folder, 'edgecore.db');
  const driver = options.driver === undefined ? {} : { driver: options.driver };
  try {
    await using store = await openStore({ path, log: silentLogger, ...driver });
    const meta = store.table<MetaRow>(metaTable);
    const duration = options.duration ?? 2000;
    const oneByOne = await measure(duration, 1, writer(store, meta));
    const grouped = await measure(duration, IN_FLIGHT, writer(store, meta));
    const same = { key: 'default/pod/same', type: 'pod', value: 'v' };
    const unchanged = await measure(duration / 2, IN_FLIGHT, () => store.commit(() => meta.put(same)));
    const { report } = store;
    await store.close();
    const started = performance.now();
    await using again = await openStore({ path, log: silentLogger, ...driver });
    const openMilliseconds = performance.now() - started;
    const bytes = again.table(metaTable).count() * CHARACTERS;
    return { driver: report.driver, sqlite: report.sqlite, oneByOne, grouped, unchanged, openMilliseconds, mebibytes: bytes / 2 ** 20 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writer(store: OpenedStore, meta: Table<MetaRow>): () => Promise<unknown> {
  let count = 0;
  const filler = 'x'.repeat(CHARACTERS);
  return () => {
    const number = count++;
    return store.commit(() => meta.put({ key: `default/pod/p${number % KEYS}`, type: 'pod', value: `${number}${filler}` }));
  };
}

async function measure(milliseconds: number, inFlight: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - started < milliseconds) {
      await work();
      done++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return Math.round((done * 1000) / (performance.now() - started));
}
