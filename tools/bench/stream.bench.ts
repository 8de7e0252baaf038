import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { startMinicloud, type Minicloud } from '@edge/minicloud';
import { BUSYBOX_IMAGE, startContainerd, type Containerd } from '@edge/testing';
import { WebSocket } from 'ws';
import { agentConfig } from '../../packages/cli/src/dev/agent-config.js';
import { choosePorts } from '../../packages/cli/src/dev/ports.js';
import { nodeReady } from '../../packages/cli/src/dev/node-ready.js';
import { cpuSeconds, pause, startAgent, stopAgent } from './agent-process.js';
import { figure, median } from './figure.js';

// Logs, commands and copies from kubectl's side to a pod on containerd and back, all on this machine.
const QUICK = process.argv.includes('--quick');
const NODE = 'edge-1';
const MB = (QUICK ? 16 : 64) * 1024 * 1024;
const EXECS = QUICK ? 20 : 100;
const IDLE = QUICK ? 50 : 200;

interface Api {
  readonly kubeconfig: string;
  readonly url: string;
  readonly tls: { readonly ca: Buffer; readonly headers: { readonly Authorization: string } };
}

function apiOf(cloud: Minicloud, data: string): Api {
  const token = readFileSync(join(data, 'cloud', 'pki', 'admin.token'), 'utf8').trim();
  return { kubeconfig: cloud.kubeconfigPath, url: cloud.url, tls: { ca: readFileSync(join(data, 'cloud', 'pki', 'ca.crt')), headers: { Authorization: `Bearer ${token}` } } };
}

/** One command over WebSocket with channels v4; milliseconds until its end is known. */
async function exec(api: Api): Promise<number> {
  const since = performance.now();
  const socket = new WebSocket(`${api.url.replace('https', 'wss')}/api/v1/namespaces/default/pods/p/exec?command=true&stdout=true&stderr=true`, 'v4.channel.k8s.io', { ...api.tls, perMessageDeflate: false });
  let status = '';
  socket.on('message', (data: Buffer) => {
    if (data[0] === 3) status += data.subarray(1).toString();
  });
  await once(socket, 'close');
  if (!status.includes('Success')) throw new Error(`the command ended with: ${status}`);
  return performance.now() - since;
}

async function kubectl(api: Api, ...args: string[]): Promise<number> {
  const since = performance.now();
  const child = spawn('kubectl', ['--kubeconfig', api.kubeconfig, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`kubectl ${args[0]} ended with ${code}`);
  return (performance.now() - since) / 1000;
}

/** Reads a log to its end, or to its first bytes; seconds and bytes. */
function readLog(api: Api, query: string, first: boolean): Promise<{ seconds: number; bytes: number; stop: () => void }> {
  const since = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(`${api.url}/api/v1/namespaces/default/pods/p/log?${query}`, { ...api.tls, agent: false }, (answer) => {
      let bytes = 0;
      const done = (): void => resolve({ seconds: (performance.now() - since) / 1000, bytes, stop: () => asked.destroy() });
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        if (first) done();
      });
      answer.on('end', done).on('error', () => undefined);
    });
    asked.on('error', reject).end();
  });
}

const rss = ({ pid }: ChildProcess): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

async function measure(api: Api, agent: ChildProcess, folder: string): Promise<void> {
  await exec(api);
  figure('stream, a short command, there and back', await median(EXECS, () => exec(api)), 'ms', 'starting it in containerd is most of it');
  await eventuallyLogged(api);
  const before = cpuSeconds(agent);
  const { seconds, bytes } = await readLog(api, '', false);
  figure('stream, a log', bytes / 1e6 / seconds, 'MB/s', `${(bytes / 1e6).toFixed(0)} MB; the agent's processor time: ${(cpuSeconds(agent) - before).toFixed(2)} s`);
  writeFileSync(join(folder, 'there'), randomBytes(MB));
  figure('stream, kubectl cp into a pod', MB / 1e6 / (await kubectl(api, 'cp', join(folder, 'there'), 'p:/tmp/file')), 'MB/s');
  figure('stream, kubectl cp out of a pod', MB / 1e6 / (await kubectl(api, 'cp', 'p:/tmp/file', join(folder, 'back'))), 'MB/s');
  if (statSync(join(folder, 'back')).size !== MB) throw new Error('the copy is not whole');
  const resident = rss(agent);
  const idle = [];
  for (let count = 0; count < IDLE; count += 1) idle.push(await readLog(api, 'follow=true&tailLines=1', true));
  await pause(2000);
  figure('stream, memory per idle session of the agent', (rss(agent) - resident) / IDLE, 'KiB', `${IDLE} logs that are followed`);
  for (const { stop } of idle) stop();
}

async function eventuallyLogged(api: Api): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    const { bytes, stop } = await readLog(api, 'tailLines=1', true);
    stop();
    if (bytes > 0 && bytes < 10) return;
    await pause(200);
  }
  throw new Error('the pod did not write its log');
}

async function run(folder: string, containerd: Containerd): Promise<void> {
  const { kubelet } = await choosePorts(undefined);
  await using cloud = await startMinicloud({ dataDir: join(folder, 'cloud') });
  const runtime = { runtime: 'cri', endpoint: `unix://${containerd.socket}`, cgroupRoot: containerd.cgroupRoot } as const;
  writeFileSync(join(folder, 'edgecore.yaml'), agentConfig({
    data: folder, node: NODE, ...runtime, hubAddress: cloud.hubAddress, httpsUrl: `https://${cloud.httpsAddress}`, kubeletPort: kubelet, tunnelAddress: cloud.tunnelAddress, token: cloud.token(),
  }));
  const agent = startAgent(folder);
  try {
    await nodeReady(cloud, NODE, 0, AbortSignal.timeout(60_000));
    // A line of 1 kB again and again, then "end": the log rotates at 10 MiB, and all that is kept is read.
    const script = `line=$(head -c 768 /dev/urandom | base64 | tr -d '\\n'); for i in $(seq 8000); do echo $line; done; echo end; while true; do sleep 1000; done`;
    await cloud.api.resource('v1', 'pods').create({
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' },
      spec: { nodeName: NODE, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', script] }] },
    } as never);
    const api = apiOf(cloud, folder);
    await kubectl(api, 'wait', '--for=condition=Ready', 'pod/p', '--timeout=60s');
    await measure(api, agent, folder);
    await kubectl(api, 'delete', 'pod', 'p', '--timeout=60s');
  } finally {
    await stopAgent(agent);
  }
}

await using containerd = await startContainerd();
const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
try {
  mkdirSync(join(folder, 'agent'));
  await run(folder, containerd);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
