import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@edge/core';
import { openStore } from '@edge/store';
import { benchUpward } from '../../packages/edgehub/bench/upward.js';
import { programPath } from './ask.js';
import { benchDownward } from './downward.js';
import { figure } from './figure.js';

const MESSAGES = process.argv.includes('--quick') ? 5000 : 20_000;
const IN_FLIGHT = 32;

// Beside the workspace's files: the folder for temporary files may be in memory.
const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'link-'));
try {
  const up = await benchUpward({
    messages: MESSAGES,
    keys: 1000,
    openStore: (path) => openStore({ path, log: silentLogger }),
    cloudProgram: programPath('counting-cloud'),
  });
  const durable = 'events of 0.5 kB, each on the disk before it is sent; messageQPS 0';
  figure('edge to cloud, link up', up.messagesPerSecond, 'messages/s', durable);
  figure('edge to cloud, link down', up.storedPerSecond, 'messages/s', 'into the outbox');
  figure('edge to cloud, backlog after the link came', up.drainedPerSecond, 'messages/s', 'out of the outbox');

  const down = await benchDownward(folder, Math.round(MESSAGES / 4), [1, IN_FLIGHT]);
  const acknowledged = 'ConfigMaps of 0.7 kB, committed, then acknowledged';
  figure('cloud to edge, one in flight', down.perSecond.get(1) ?? 0, 'messages/s', acknowledged);
  figure(`cloud to edge, ${IN_FLIGHT} in flight`, down.perSecond.get(IN_FLIGHT) ?? 0, 'messages/s', acknowledged);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
