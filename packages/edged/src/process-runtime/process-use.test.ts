import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readProcessUse } from './process-use.js';

it('[edged-process-use-1] adds up times and memory of processes as the kernel shows them, whatever they are called', async () => {
  const proc = await mkdtemp(join(tmpdir(), 'process-use-'));
  const one = async (pid: number, times: string, files: Record<string, string>): Promise<void> => {
    await mkdir(join(proc, String(pid)));
    await writeFile(join(proc, String(pid), 'stat'), `${pid} (a) b) S 1 1 1 0 -1 4194560 100 0 0 0 ${times} 20 0 1 0 300 1 1\n`);
    for (const [name, text] of Object.entries(files)) await writeFile(join(proc, String(pid), name), text);
  };
  await one(10, '1 2 30 4', { status: 'VmRSS:\t   9999 kB\n' });
  await one(11, '100 50 0 0', { smaps_rollup: 'Rss:                4000 kB\nPss:                1500 kB\n', status: 'VmRSS:\t   4000 kB\n' });
  await one(12, '0 0 0 0', { status: 'Name:\tx\nVmRSS:\t     500 kB\n' });
  expect(await readProcessUse(10, [11, 12, 13], proc)).toEqual({ cpuNanoseconds: 1.87e9, memoryBytes: 2000 * 1024 });
  await rm(proc, { recursive: true });
});
