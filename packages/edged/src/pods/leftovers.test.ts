import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { expect, it } from 'vitest';
import { Leftovers } from './leftovers.js';

it('[edged-13.1] removes folders that were found ownerless twice, and nothing that has another form', async () => {
  const root = await mkdtemp(join(tmpdir(), 'edged-leftovers-'));
  const logs = join(root, 'logs');
  for (const folder of ['logs/ns_a_known', 'logs/ns_b_gone', 'logs/journal', 'pods/known', 'pods/gone']) await mkdir(join(root, folder), { recursive: true });
  const leftovers = new Leftovers({ root, podLogsDir: logs, removePod: (uid) => rm(join(root, 'pods', uid), { recursive: true }), log: silentLogger });
  const sweep = () => leftovers.sweep((uid) => uid === 'known', new AbortController().signal);
  await sweep();
  expect((await readdir(logs)).sort()).toEqual(['journal', 'ns_a_known', 'ns_b_gone']);
  await sweep();
  expect((await readdir(logs)).sort()).toEqual(['journal', 'ns_a_known']);
  expect(await readdir(join(root, 'pods'))).toEqual(['known']);
  await rm(root, { recursive: true });
});
