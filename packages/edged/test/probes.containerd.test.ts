import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { createCell, silentLogger, type LinkStatus } from '@edge/core';
import { createCriRuntime, type CriRuntime } from '@edge/cri';
import type { Container, ContainerStatus, Pod } from '@edge/protocol';
import { BUSYBOX_IMAGE, ownLoopback, runModule, startContainerd, testIdentity, unmountBelow, type Containerd, type RunningModule } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

const WAIT_MS = 30_000;
const cloud = new PlayedCloud();
let containerd: Containerd;
let runtime: CriRuntime;
let root: string;
let agent: RunningModule;
const grpc = new GrpcServer();
let grpcStatus = 1;
let grpcPort = 0;

const start = (): Promise<RunningModule> =>
  runModule(withLink(() => createCriRuntime({ endpoint: containerd.socket, timeoutMs: 30_000, log: silentLogger }), createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config: { modules: { edged: { rootDirectory: join(root, 'kubelet'), reportEvent: true, tailoredKubeletConfig: { podLogsDir: join(root, 'logs', 'pods'), address: ownLoopback(), cgroupRoot: containerd.cgroupRoot } } } },
    // Pods in the node's network are asked at this address.
    identity: testIdentity(NODE, ['127.0.0.1']),
    neighbours: (bus) => cloud.join(bus),
  });

beforeAll(async () => {
  containerd = await startContainerd();
  root = await mkdtemp(join(tmpdir(), 'edged-probes-'));
  await mkdir(join(root, 'told'));
  runtime = await createCriRuntime({ endpoint: containerd.socket, timeoutMs: 30_000, log: silentLogger });
  const raw = (bytes: Buffer): Buffer => bytes;
  const path = '/grpc.health.v1.Health/Check';
  grpc.addService(
    { check: { path, requestStream: false, responseStream: false, requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw } },
    { check: (_call: unknown, callback: (error: null, reply: Buffer) => void) => callback(null, Buffer.from([8, grpcStatus])) },
  );
  grpcPort = await new Promise<number>((resolve, reject) => grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))));
  agent = await start();
}, 60_000);

afterAll(async () => {
  await agent?.stop();
  grpc.forceShutdown();
  await runtime?.[Symbol.asyncDispose]();
  await containerd?.[Symbol.asyncDispose]();
  if (root) await unmountBelow(root);
  if (root) await rm(root, { recursive: true, force: true });
}, 60_000);

/** A container that runs a script; what it writes to `/told/<file>` can be read here. */
function shell(script: string, more: Partial<Container> = {}): Container {
  return { name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', script], volumeMounts: [{ name: 'told', mountPath: '/told' }], ...more };
}
const podOf = (name: string, spec: Partial<Pod['spec']>): Pod => pod(name, { volumes: [{ name: 'told', hostPath: { path: join(root, 'told') } }], ...spec });
const told = async (file: string): Promise<string[]> => (await readFile(join(root, 'told', file), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
const statusOf = (name: string): Pod['status'] => cloud.pods.get(`default/${name}`)?.status;
const container = (name: string, of = 'c'): ContainerStatus | undefined => statusOf(name)?.containerStatuses?.find((one) => one.name === of);
const isReady = (name: string): boolean => statusOf(name)?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
/** A repeated one comes as a patch beside the whole event. */
const messageOf = (content: unknown): string => (content as { message?: string }).message ?? (content as { event: { message: string } }).event.message;
const events = (name: string): string[] => cloud.received.flatMap(({ route, content }) => (route.resource.includes(`/event/${name}.`) ? [messageOf(content)] : []));
const inside = (name: string, ...command: string[]): Promise<unknown> => runtime.execSync((container(name)?.containerID ?? '').replace(/^.*:\/\//, ''), command, 5);
const until = (what: string, condition: () => unknown): Promise<void> => cloud.until(what, condition, WAIT_MS);
const exec = (script: string): { exec: { command: string[] } } => ({ exec: { command: ['/bin/sh', '-c', script] } });
const SLEEP = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

describe('probes and hooks on containerd', () => {
  it.concurrent('[edged-20.50] HTTP and TCP probes reach the pod by its address, and readiness follows what they say', async () => {
    const web = 'mkdir /www; echo yes > /www/ready; exec httpd -f -p 8080 -h /www';
    const containers = [
      shell(web, { ports: [{ name: 'web', containerPort: 8080 }], startupProbe: { tcpSocket: { port: 'web' }, periodSeconds: 1 }, readinessProbe: { httpGet: { port: 'web', path: '/ready' }, periodSeconds: 1, failureThreshold: 1 } }),
      shell(SLEEP, { name: 'closed', readinessProbe: { tcpSocket: { port: 8081 }, periodSeconds: 1 } }),
    ];
    await cloud.push(podOf('web', { containers }), 'insert');
    await until('web is ready', () => container('web')?.ready);
    expect(container('web', 'closed')).toMatchObject({ ready: false, started: true, restartCount: 0 });
    await inside('web', 'rm', '/www/ready');
    await until('web is not ready', () => !container('web')?.ready);
    await until('told', () => events('web').includes('Readiness probe failed: HTTP probe failed with statuscode: 404'));
    expect(events('web').some((text) => /^Readiness probe failed: dial tcp [\d.]+:8081: connect: connection refused$/.test(text))).toBe(true);
  });

  it.concurrent('[edged-20.51] a container whose exec liveness probe fails runs its hook, gets SIGTERM and starts again; the environment is seen in the command', async () => {
    const script = 'touch /tmp/alive; trap "echo term >> /told/live; exit 0" TERM; while :; do sleep 0.1; done';
    const livenessProbe = { exec: { command: ['test', '-f', '/tmp/$(WHAT)'] }, timeoutSeconds: 20, periodSeconds: 1, failureThreshold: 2 };
    await cloud.push(podOf('live', { containers: [shell(script, { env: [{ name: 'WHAT', value: 'alive' }], livenessProbe, lifecycle: { preStop: exec('echo bye >> /told/live') } })] }), 'insert');
    await until('Running', () => container('live')?.ready);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(container('live')?.restartCount).toBe(0);
    await inside('live', 'rm', '/tmp/alive');
    await until('restarted', () => container('live')?.restartCount === 1 && container('live')?.ready);
    expect(await told('live')).toEqual(['bye', 'term']);
    expect(container('live')?.lastState.terminated).toMatchObject({ exitCode: 0 });
    expect(events('live').some((text) => text.includes('Container c failed liveness probe, will be restarted'))).toBe(true);
  });

  it.concurrent('[edged-20.52] a command that hangs is a failure after its time, one that is not there says nothing', async () => {
    const containers = [
      shell(SLEEP, { name: 'hangs', readinessProbe: { ...exec('sleep 100'), timeoutSeconds: 1, periodSeconds: 1 } }),
      shell(SLEEP, { name: 'missing', livenessProbe: { exec: { command: ['/no/such'] }, periodSeconds: 1, failureThreshold: 1 } }),
    ];
    await cloud.push(podOf('exec', { containers }), 'insert');
    await until('both are told', () => events('exec').some((text) => /^Readiness probe failed: command timed out/.test(text)) && events('exec').some((text) => /^Liveness probe errored: /.test(text)));
    expect(statusOf('exec')?.containerStatuses?.map(({ name, ready, restartCount }) => [name, ready, restartCount])).toEqual([['hangs', false, 0], ['missing', true, 0]]);
  });

  it.concurrent('[edged-20.53] a gRPC probe of a pod in the node’s network asks the node’s address', async () => {
    await cloud.push(podOf('rpc', { hostNetwork: true, containers: [shell(SLEEP, { readinessProbe: { grpc: { port: grpcPort }, periodSeconds: 1, failureThreshold: 1 } })] }), 'insert');
    await until('ready', () => isReady('rpc'));
    grpcStatus = 2;
    await until('not ready', () => !isReady('rpc'));
    expect(events('rpc')).toContain('Readiness probe failed: service unhealthy (responded with "NOT_SERVING")');
  });

  it.concurrent('[edged-20.54] a sidecar starts what follows when its startup probe succeeds, and ends last', async () => {
    const script = (name: string): string => `echo start ${name} >> /told/side; trap "echo end ${name} >> /told/side; exit 0" TERM; while :; do sleep 0.1; done`;
    const side = shell(`(sleep 1; touch /tmp/up) & ${script('side')}`, { name: 'side', restartPolicy: 'Always', startupProbe: { ...exec('test -f /tmp/up && echo up >> /told/side'), periodSeconds: 1 } });
    await cloud.push(podOf('side', { initContainers: [side], containers: [shell(script('c'))] }), 'insert');
    await until('ready', () => isReady('side'));
    await cloud.startDeletion(pod('side'), 10);
    await until('gone', () => !cloud.pods.has('default/side'));
    expect(await told('side')).toEqual(['start side', 'up', 'start c', 'end c', 'end side']);
  });

  it.concurrent('[edged-21.20] a postStart hook that fails ends the container with the reason PostStartHookError', async () => {
    await cloud.push(podOf('hook', { containers: [shell(SLEEP, { lifecycle: { postStart: exec('echo answer $((6 * 7)) >&2; exit 7') } })] }), 'insert');
    await until('back-off', () => container('hook')?.state.waiting?.reason === 'CrashLoopBackOff');
    expect(cloud.patches(pod('hook')).some((patch) => /exited with 7: answer 42.*PostStartHookError/.test(JSON.stringify(patch)))).toBe(true);
    expect(events('hook').some((text) => text.startsWith('PostStartHook failed'))).toBe(true);
  });

  it.concurrent('[edged-22.20] an ephemeral container sees the processes of its target, and has an end of its own', async () => {
    await cloud.push(podOf('debug', { containers: [shell('exec sleep 12345')] }), 'insert');
    await until('running', () => isReady('debug'));
    const current = cloud.pods.get('default/debug') as Pod;
    const look = { ...shell('ps | grep -q "sleep 1234[5]" && exit 3; exit 4', { name: 'look' }), targetContainerName: 'c' };
    const alone = shell('ps | grep -q "sleep 1234[5]" && exit 3; exit 4', { name: 'alone' });
    await cloud.push({ ...current, spec: { ...current.spec, ephemeralContainers: [look, alone] } });
    await until('ended', () => statusOf('debug')?.ephemeralContainerStatuses?.every(({ state }) => state.terminated));
    expect(statusOf('debug')?.ephemeralContainerStatuses?.map(({ name, state }) => [name, state.terminated?.exitCode])).toEqual([['look', 3], ['alone', 4]]);
    expect(isReady('debug')).toBe(true);
  });
});

describe('a restart of the agent on containerd', () => {
  it('[edged-20.55] keeps pods ready, and a pod that was taken away meanwhile ends with the hook that is written down with its container', async () => {
    const readinessProbe = { ...exec('test -f /tmp/up'), periodSeconds: 1 };
    await cloud.push(podOf('stays', { containers: [shell(`touch /tmp/up; ${SLEEP}`, { readinessProbe })] }), 'insert');
    await cloud.push(podOf('goes', { containers: [shell(SLEEP, { lifecycle: { preStop: exec('echo bye >> /told/goes') } })] }), 'insert');
    await until('ready', () => isReady('stays') && isReady('goes'));
    const before = container('stays');
    const said = cloud.patches(pod('stays')).length;
    await agent.stop();
    cloud.pods.delete('default/goes');
    cloud.stored.delete('pod default/goes');
    agent = await start();
    await expect.poll(() => told('goes'), { timeout: WAIT_MS }).toEqual(['bye']);
    expect(container('stays')).toEqual(before);
    await inside('stays', 'rm', '/tmp/up');
    await until('not ready', () => !isReady('stays'));
    expect(cloud.patches(pod('stays'))).toHaveLength(said + 1);
  });
});
