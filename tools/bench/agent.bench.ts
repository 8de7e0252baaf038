import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentConfig } from '../../packages/cli/src/dev/agent-config.js';
import { killPodProcesses } from '../../packages/cli/test/support/leftovers.js';
import { cpuSeconds, pause, reportMemory, startAgent, stopAgent } from './agent-process.js';
import { startHelper } from './ask.js';
import { figure } from './figure.js';
import type { Payload } from './payload.js';
import { countingRelay } from './wire.js';

const QUICK = process.argv.includes('--quick');
const STARTS = 5;
const SETTLE_MS = 20_000;
// Five minutes hold one of the node's regular status reports, one minute holds none.
const IDLE_MS = QUICK ? 60_000 : 300_000;
const PODS = 5;
const NODE = 'edge-1';
async function run(folder: string): Promise<void> {
  await using cloud = startHelper('minicloud');
  const { hubAddress, httpsUrl, token } = await cloud.ask<{ hubAddress: string; httpsUrl: string; token: string }>({ do: 'start', dataDir: join(folder, 'cloud') });
  const [host = '', port = ''] = hubAddress.split(':');
  await using wire = await countingRelay({ host, port: Number(port) });
  writeFileSync(join(folder, 'edgecore.yaml'), agentConfig({ data: folder, node: NODE, runtime: 'process', hubAddress: `127.0.0.1:${wire.port}`, httpsUrl, kubeletPort: 0, token }));

  let heartbeat = '';
  let agent: ChildProcess | undefined;
  const times: number[] = [];
  const cpu: number[] = [];
  try {
    // The first start gets the certificate and does not count.
    for (let start = 0; start <= STARTS; start += 1) {
      if (agent) await stopAgent(agent);
      // Heartbeats have whole seconds: the next one has to differ.
      await pause(1100);
      const startedAt = Date.now();
      agent = startAgent(folder);
      const ready = await cloud.ask<{ at: number; heartbeat: string }>({ do: 'ready', node: NODE, after: heartbeat });
      heartbeat = ready.heartbeat;
      if (start > 0) {
        times.push((ready.at - startedAt) / 1000);
        cpu.push(cpuSeconds(agent));
      } else figure('agent, first start to Ready', (ready.at - startedAt) / 1000, 's', 'with enrolment by token');
    }
    for (const list of [times, cpu]) list.sort((a, b) => a - b);
    const middle = Math.floor(STARTS / 2);
    const each = times.map((time) => time.toFixed(2)).join(', ');
    figure('agent, start to Ready', times[middle] ?? 0, 's', `certificates in place; ${STARTS} starts took ${each}; ${cpu[middle]?.toFixed(2)} s of processor time`);
    if (!agent) return;
    await pause(SETTLE_MS);
    reportMemory('agent, idle', agent);

    const before = await cloud.ask<Payload>({ do: 'payload' });
    const wireBefore = wire.bytes;
    await pause(IDLE_MS);
    const after = await cloud.ask<Payload>({ do: 'payload' });
    const perMinute = (bytes: number): number => bytes / 1000 / (IDLE_MS / 60_000);
    const up = after.fromNodeBytes - before.fromNodeBytes;
    const down = after.toNodeBytes - before.toNodeBytes;
    const control = after.controlBytes - before.controlBytes;
    const types = Object.entries(after.byType).map(([type, bytes]) => [type, perMinute(bytes - (before.byType[type] ?? 0))] as const);
    const shares = types.filter(([, kilobytes]) => kilobytes > 0).sort(([, one], [, other]) => other - one);
    const messages = after.fromNodeMessages - before.fromNodeMessages + after.toNodeMessages - before.toNodeMessages;
    figure('link, payload while idle', perMinute(up + down + control), 'kB/min',
      `${messages} messages in ${IDLE_MS / 60_000} min, ${shares.map(([type, kilobytes]) => `${type} ${kilobytes.toFixed(2)}`).join(', ')}; limited by the lease, which goes up and comes back every 10 s`);
    figure('link, TLS bytes while idle', perMinute(wire.bytes - wireBefore), 'kB/min', 'both ways');

    await cloud.ask({ do: 'run-pods', node: NODE, count: PODS });
    await pause(SETTLE_MS);
    reportMemory(`agent, with ${PODS} pods`, agent);
  } finally {
    if (agent) await stopAgent(agent);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
try {
  mkdirSync(join(folder, 'agent'));
  await run(folder);
} finally {
  killPodProcesses(folder);
  rmSync(folder, { recursive: true, force: true });
}
