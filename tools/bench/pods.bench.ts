import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUSYBOX_IMAGE, startContainerd, type Containerd } from '@edge/testing';
import { agentConfig } from '../../packages/cli/src/dev/agent-config.js';
import { choosePorts } from '../../packages/cli/src/dev/ports.js';
import { cpuSeconds, pause, reportMemory, startAgent, stopAgent } from './agent-process.js';
import { startHelper } from './ask.js';
import { figure } from './figure.js';
import type { Payload } from './payload.js';

const QUICK = process.argv.includes('--quick');
const NODE = 'edge-1';
const AT_ONCE = [1, 5, 20, 50];
const STEADY = [0, 20, 110];
const SETTLE_MS = 15_000;
const STEADY_MS = QUICK ? 60_000 : 180_000;

/** Calls to the container runtime so far, as the agent counts them. */
async function runtimeCalls(port: number): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics' }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk)).on('end', () => resolve(body));
    }).on('error', reject);
  });
  return [...text.matchAll(/^kubelet_runtime_operations_total\{[^}]*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function run(folder: string, containerd: Containerd): Promise<void> {
  await using cloud = startHelper('minicloud');
  const { hubAddress, httpsUrl, token } = await cloud.ask<{ hubAddress: string; httpsUrl: string; token: string }>({ do: 'start', dataDir: join(folder, 'cloud') });
  const { kubelet } = await choosePorts(undefined);
  const runtime = { runtime: 'cri', endpoint: `unix://${containerd.socket}`, cgroupRoot: containerd.cgroupRoot } as const;
  writeFileSync(join(folder, 'edgecore.yaml'), agentConfig({ data: folder, node: NODE, ...runtime, hubAddress, httpsUrl, kubeletPort: kubelet, token }));
  let agent: ChildProcess | undefined;
  try {
    agent = startAgent(folder);
    await cloud.ask({ do: 'ready', node: NODE, after: '' });
    const image = BUSYBOX_IMAGE;
    // The first one warms caches of the runtime.
    await cloud.ask({ do: 'run-pods', node: NODE, count: 1, prefix: 'warm', image });
    await cloud.ask({ do: 'delete-pods', prefix: 'warm' });
    for (const count of AT_ONCE) {
      const before = cpuSeconds(agent);
      const took = await cloud.ask<number>({ do: 'run-pods', node: NODE, count, prefix: `at-once-${count}`, image });
      figure(`pods, ${count} applied at once until all Running`, took / 1000, 's', `the agent's processor time: ${(cpuSeconds(agent) - before).toFixed(2)} s; the rest is containerd, runc and network set-up`);
      await cloud.ask({ do: 'delete-pods', prefix: `at-once-${count}` });
    }
    let there = 0;
    for (const count of STEADY) {
      if (count > there) await cloud.ask({ do: 'run-pods', node: NODE, count: count - there, prefix: `steady-${count}`, image });
      there = count;
      await pause(SETTLE_MS);
      await reportSteady(count, agent, cloud, kubelet);
    }
  } finally {
    if (agent) await stopAgent(agent);
  }
}

async function reportSteady(count: number, agent: ChildProcess, cloud: ReturnType<typeof startHelper>, kubelet: number): Promise<void> {
  const label = `pods, ${count} at rest`;
  const [cpu, calls, payload] = [cpuSeconds(agent), await runtimeCalls(kubelet), await cloud.ask<Payload>({ do: 'payload' })];
  await pause(STEADY_MS);
  const after = await cloud.ask<Payload>({ do: 'payload' });
  const minutes = STEADY_MS / 60_000;
  figure(`${label}, processor`, ((cpuSeconds(agent) - cpu) / (STEADY_MS / 1000)) * 100, '% of a core');
  reportMemory(`${label}, memory`, agent);
  figure(`${label}, calls to the runtime`, ((await runtimeCalls(kubelet)) - calls) / (STEADY_MS / 1000), '/s');
  const bytes = (one: Payload): number => one.fromNodeBytes + one.toNodeBytes + one.controlBytes;
  figure(`${label}, payload on the link`, (bytes(after) - bytes(payload)) / 1000 / minutes, 'kB/min', `${(after.fromNodeMessages + after.toNodeMessages - payload.fromNodeMessages - payload.toNodeMessages) / minutes} messages/min`);
}

await using containerd = await startContainerd();
const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
try {
  mkdirSync(join(folder, 'agent'));
  await run(folder, containerd);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
