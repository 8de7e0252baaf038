import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually, temporaryFolder } from './support/agent.js';
import { startDev, type Dev } from './support/dev.js';
import { killPodProcesses, podProcesses, runningContainers } from './support/leftovers.js';

const examples = fileURLToPath(new URL('../../../examples/hello/', import.meta.url));

/** All that the pods with this name logged so far. */
function logOf(folder: string, pod: string): string {
  const root = join(folder, 'agent', 'pod-logs');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes(pod) && path.endsWith('.log'))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('');
}

/** Jobs of the operator's: images that come and one that does not, a configuration that this agent cannot change by itself. */
const JOBS = [
  { kind: 'ImagePrePullJob', name: 'images', spec: { imagePrePullTemplate: { images: ['busybox:1.36', 'No Image'], nodeNames: ['edge-e2e'], failureTolerate: '0' } } },
  { kind: 'ConfigUpdateJob', name: 'settings', spec: { nodeNames: ['edge-e2e'], updateFields: { 'modules.edgeHub.heartbeat': '20' }, failureTolerate: '0' } },
];

interface JobStatus {
  readonly phase?: string;
  readonly nodeStatus?: readonly object[];
}

async function runNodeJobs(dev: Pick<Dev, 'kubectl'>, folder: string): Promise<void> {
  for (const { kind, name, spec } of JOBS) {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: 'operations.kubeedge.io/v1alpha2', kind, metadata: { name }, spec }));
    await dev.kubectl('apply', '-f', file);
  }
  const ended = async (resource: string): Promise<JobStatus> => {
    let status: JobStatus = {};
    await eventually(async () => {
      status = (JSON.parse(await dev.kubectl('get', resource, '-o', 'json')) as { status?: JobStatus }).status ?? {};
      return status.phase === 'Failure' || status.phase === 'Completed';
    }, 60_000, () => `${resource} is ${JSON.stringify(status)}`);
    return status;
  };
  expect((await ended('imageprepulljob/images')).nodeStatus).toMatchObject([
    {
      nodeName: 'edge-e2e', phase: 'Failure',
      actionFlow: [{ action: 'Check', status: 'True' }, { action: 'Pull', status: 'False', reason: '1 of 2 images could not be pulled' }],
      imageStatus: [{ image: 'busybox:1.36', status: 'True' }, { image: 'No Image', status: 'False', reason: expect.stringContaining('is no name of an image') as string }],
    },
  ]);
  expect((await ended('configupdatejob/settings')).nodeStatus).toMatchObject([
    { phase: 'Failure', actionFlow: [{ action: 'Check', status: 'True' }, { action: 'BackUp', status: 'False', reason: expect.stringContaining('does not run from an installation') as string }] },
  ]);
}

it('[dev-1.1] one command: the node is Ready, kubectl runs a pod with ConfigMap and Secret as a real process, does node jobs, scales and deletes', { timeout: 400_000 }, async () => {
  await using folder = await temporaryFolder();
  try {
    await using dev = await startDev(folder.path);
    await dev.said('Node edge-e2e is Ready');
    expect(await dev.kubectl('get', 'nodes')).toMatch(/edge-e2e\s+Ready\s/);

    await dev.kubectl('apply', '-f', examples);
    await dev.kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=120s');
    await eventually(() => logOf(folder.path, 'hello').includes('Hello from the edge, hello on edge-e2e; the password has 11 characters'), 90_000, () => logOf(folder.path, 'hello'));
    expect(runningContainers(folder.path, 'trap')).toBe(1);
    // The same through the cloud's API and the node's tunnel; processes have no inside to run commands in.
    await eventually(async () => (await dev.kubectl('logs', 'hello', '--tail=20')).includes('the password has 11 characters'), 40_000, () => 'kubectl logs shows nothing');
    await expect(dev.kubectl('exec', 'hello', '--', 'true')).rejects.toThrow('exec, attach and port-forward need a container runtime');

    await runNodeJobs(dev, folder.path);

    await dev.kubectl('scale', 'deployment/ticker', '--replicas=3');
    await dev.kubectl('rollout', 'status', 'deployment/ticker', '--timeout=120s');
    const tickers = (): number => runningContainers(folder.path, 'while true; do date');
    await eventually(() => tickers() === 3, 90_000, () => `${tickers()} tickers run, 3 should`);
    await dev.kubectl('scale', 'deployment/ticker', '--replicas=1');
    await eventually(() => tickers() === 1, 90_000, () => `${tickers()} tickers run, 1 should`);

    await dev.kubectl('delete', 'pod', 'hello', '--timeout=120s');
    expect(runningContainers(folder.path, 'trap')).toBe(0);
    expect(logOf(folder.path, 'hello')).toContain('Good bye from hello');
    expect(await dev.kubectl('describe', 'node', 'edge-e2e')).toContain('EdgeReady');
  } finally {
    killPodProcesses(folder.path);
  }
});

it('[dev-1.2] Ctrl-C stops both, pods go on, and starting again goes on with the same data', { timeout: 400_000 }, async () => {
  await using folder = await temporaryFolder();
  try {
    const first = await startDev(folder.path);
    await first.said('Node edge-e2e is Ready');
    await first.kubectl('apply', '-f', join(examples, 'hello.yaml'));
    await first.kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=120s');
    const before = podProcesses(folder.path).map(({ pid }) => pid);
    expect(await first.interrupt()).toBe(0);
    expect(first.output).toContain('Stopped.');

    await using second = await startDev(folder.path);
    await second.said('Node edge-e2e is Ready');
    expect(await second.kubectl('get', 'pod', 'hello')).toMatch(/hello\s+1\/1\s+Running\s+0\s/);
    const after = podProcesses(folder.path).map(({ pid }) => pid);
    expect(before.some((pid) => after.includes(pid))).toBe(true);
    await second.kubectl('delete', '-f', join(examples, 'hello.yaml'), '--timeout=120s');
    expect(podProcesses(folder.path)).toEqual([]);
  } finally {
    killPodProcesses(folder.path);
  }
});
