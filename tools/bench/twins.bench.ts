import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startHelper } from './ask.js';
import { figure, median } from './figure.js';

interface Measured {
  readonly perSecond: number;
  readonly latencies: readonly number[];
}

const quick = process.argv.includes('--quick');
const UPDATES = quick ? 1_000 : 20_000;
const RUNS = quick ? 1 : 3;
const REPORTS = quick ? 500 : 10_000;
const WINDOW = 200;
const DEVICES = 200;

// Beside the workspace's files: the folder for temporary files may be in memory.
const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'twins-'));
try {
  await using agent = startHelper('device-agent');
  await using clients = startHelper('twin-clients');
  const port = await agent.ask<number>({ do: 'start', folder });
  await agent.ask({ do: 'add-devices', count: DEVICES });
  const measure = (devices: number, more: object): Promise<Measured> => clients.ask<Measured>({ port, devices, ...more });
  const processorTime = (): Promise<number> => agent.ask<number>({ do: 'processor-time' });
  await measure(DEVICES, { updates: 5 * DEVICES, window: WINDOW });
  for (const [name, devices] of [['one device', 1], [`${DEVICES} devices`, DEVICES]] as const) {
    const before = await processorTime();
    const perSecond = await median(RUNS, async () => (await measure(devices, { updates: UPDATES, window: WINDOW })).perSecond);
    const each = ((await processorTime()) - before) / (RUNS * UPDATES);
    figure(`twin updates, ${name}`, perSecond, 'updates/s', `from MQTT QoS 1 to the result on MQTT, on the disk before it and queued for the cloud; ${WINDOW} under way; ${Math.round(each)} µs of processor time each`);
  }
  const cloud = await agent.ask<number>({ do: 'heard-by-cloud' });
  figure('twin updates in a message to the cloud', (2 * RUNS * UPDATES + 5 * DEVICES) / cloud, 'updates', 'what changed while the one before was under way goes together');
  const { latencies } = await measure(DEVICES, { updates: quick ? 200 : 2_000, perSecond: 100 });
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  figure('twin update at 100/s, p50', at(0.5), 'ms', 'the same way');
  figure('twin update at 100/s, p99', at(0.99), 'ms');

  await using mapper = startHelper('mapper');
  const before = await processorTime();
  const reports = await median(RUNS, () => mapper.ask<number>({ socket: join(folder, 'dmi.sock'), devices: DEVICES, reports: REPORTS, window: WINDOW }));
  const each = ((await processorTime()) - before) / (RUNS * REPORTS);
  figure('reports of a mapper (DMI)', reports, 'reports/s', `gRPC on a unix socket, one property each, acknowledged when on the disk; ${DEVICES} devices, ${WINDOW} under way; ${Math.round(each)} µs of processor time each`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
