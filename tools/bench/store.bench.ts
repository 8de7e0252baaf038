import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchCommits } from '../../packages/store/bench/commits.js';
import { figure, median } from './figure.js';

// Beside the workspace's files: the folder for temporary files may be in memory.
const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'store-'));

/** What the disk itself allows: appends of one page, each forced out. */
function diskFlushes(): number {
  const file = openSync(join(folder, 'flushes'), 'w');
  const page = Buffer.alloc(4096);
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < 1000; count += 1) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  closeSync(file);
  return count / ((performance.now() - start) / 1000);
}

try {
  const flushes = await median(3, () => Promise.resolve(diskFlushes()));
  const runs = [await benchCommits({ folder }), await benchCommits({ folder }), await benchCommits({ folder })];
  const middle = (of: (run: (typeof runs)[0]) => number): number => runs.map(of).sort((a, b) => a - b)[1] ?? 0;
  const driver = `${runs[0]?.driver ?? ''}, upserts of 0.5 kB, every commit on the disk`;
  figure('store, one by one', middle((run) => run.oneByOne), 'commits/s', `${driver}; the disk does ${Math.round(flushes)} flushes of 4 kB a second`);
  figure('store, 100 in flight', middle((run) => run.grouped), 'commits/s', driver);
  figure('store, open and check', middle((run) => run.openMilliseconds), 'ms', `${(runs[0]?.mebibytes ?? 0).toFixed(1)} MiB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
