import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@edge/core';
import { openStore } from '@edge/store';
import { benchUpward, type UpwardFigures } from '../../packages/edgehub/bench/upward.js';
import { programPath } from './ask.js';
import { benchDownward } from './downward.js';
import { figure } from './figure.js';

const MESSAGES = process.argv.includes('--quick') ? 1500 : 20_000;
const IN_FLIGHT = 32;

// Beside the workspace's files: the folder for temporary files may be in memory.
const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'link-'));
// The benchmark of edgehub's own package makes its folder where temporary files go.
process.env['TMPDIR'] = folder;
try {
  const upward = { messages: MESSAGES, keys: 1000, openStore: (path: string) => openStore({ path, log: silentLogger }), cloudProgram: programPath('counting-cloud') };
  const runs = [await benchUpward(upward), await benchUpward(upward), await benchUpward(upward)];
  const middle = (of: (run: UpwardFigures) => number): number => runs.map(of).sort((a, b) => a - b)[1] ?? 0;
  const durable = 'events of 0.5 kB, each on the disk before it is sent; messageQPS 0';
  figure('edge to cloud, link up', middle((run) => run.messagesPerSecond), 'messages/s', durable);
  figure('edge to cloud, link down', middle((run) => run.storedPerSecond), 'messages/s', 'into the outbox');
  figure('edge to cloud, backlog after the link came', middle((run) => run.drainedPerSecond), 'messages/s', 'out of the outbox');

  const down = await benchDownward(folder, Math.round(MESSAGES / 4), [1, IN_FLIGHT]);
  const acknowledged = 'ConfigMaps of 0.7 kB, committed, then acknowledged';
  figure('cloud to edge, one in flight', down.perSecond.get(1) ?? 0, 'messages/s', acknowledged);
  figure(`cloud to edge, ${IN_FLIGHT} in flight`, down.perSecond.get(IN_FLIGHT) ?? 0, 'messages/s', acknowledged);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
