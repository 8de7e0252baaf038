import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, ContainerRuntime, PodSandboxConfig, RuntimeEvent } from '@edge/core';
import { errorCode, errorText, isAbort, sleep } from '@edge/core';
import { BUSYBOX_IMAGE, eventually, startContainerd, startRegistry, type Containerd } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createCriRuntime, CriErrors, findRuntime } from '../src/index.js';

let containerd: Containerd;
let runtime: ContainerRuntime & AsyncDisposable;
const never = new AbortController().signal;

beforeAll(async () => {
  containerd = await startContainerd({ runtimeHandlers: ['other'] });
  runtime = await createCriRuntime({ endpoint: containerd.socket });
});

afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await containerd[Symbol.asyncDispose]();
});

function pod(name: string, change: Partial<PodSandboxConfig> = {}): PodSandboxConfig {
  return { metadata: { name, namespace: 'test', uid: name, attempt: 0 }, logDirectory: join(containerd.folder, 'logs', name), labels: { name }, annotations: {}, ...change };
}

function container(name: string, command: readonly string[], change: Partial<ContainerConfig> = {}): ContainerConfig {
  return { metadata: { name, attempt: 0 }, image: BUSYBOX_IMAGE, userSpecifiedImage: BUSYBOX_IMAGE, command, args: [], env: [], mounts: [], labels: { name }, annotations: {}, logPath: `${name}/0.log`, ...change };
}

async function run(name: string, command: readonly string[], change: { pod?: Partial<PodSandboxConfig>; container?: Partial<ContainerConfig> } = {}): Promise<{ config: PodSandboxConfig; sandbox: string; id: string }> {
  const config = pod(name, change.pod);
  const sandbox = await runtime.runPodSandbox(config);
  const id = await runtime.createContainer(sandbox, container(name, command, change.container), config);
  await runtime.startContainer(id);
  return { config, sandbox, id };
}

async function output(id: string, ...command: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runtime.execSync(id, command, 10);
  return `${Buffer.from(stdout).toString()}${Buffer.from(stderr).toString()}`.trim();
}

/** What the runtime made of a container's configuration, in the words of its own runtime. */
async function specOf(id: string): Promise<Record<string, unknown>> {
  return (JSON.parse(await containerd.ctr('containers', 'info', id)) as { Spec: Record<string, unknown> }).Spec;
}

it('[cri-5.1] security, limits, devices and mounts arrive in what runc is told', async () => {
  const seccomp = join(containerd.folder, 'seccomp.json');
  await writeFile(seccomp, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['chroot'], action: 'SCMP_ACT_ERRNO' }] }));
  // What propagates has to lie on a shared mount. It goes with the runtime's folder.
  const shared = join(containerd.folder, 'shared');
  await mkdir(shared);
  execFileSync('mount', ['--bind', '--make-shared', shared, shared]);
  const config = pod('limits', { linux: { cgroupParent: `${containerd.cgroupRoot}/pod-limits` } });
  const sandbox = await runtime.runPodSandbox(config);
  const full = container('limits', ['true'], {
    workingDir: '/tmp',
    env: [{ name: 'GREETING', value: 'hello\nworld' }],
    devices: [{ containerPath: '/dev/zilch', hostPath: '/dev/null', permissions: 'rw' }],
    mounts: [
      { containerPath: '/in', hostPath: shared, readOnly: true, propagation: 'hostToContainer' },
      { containerPath: '/private', hostPath: containerd.folder },
    ],
    linux: {
      resources: { cpuPeriod: 100_000, cpuQuota: 20_000, cpuShares: 204, memoryLimitBytes: 64 * 2 ** 20, memorySwapLimitBytes: 64 * 2 ** 20, oomScoreAdj: 900, cpusetCpus: '0', cpusetMems: '0' },
      security: {
        ...{ runAsUser: 1000, runAsGroup: 65534, supplementalGroups: [4242], readonlyRootfs: true, noNewPrivileges: true, addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] },
        ...{ maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'], seccomp: { type: 'localhost', localhostRef: seccomp }, apparmor: { type: 'unconfined' } },
      },
    },
  });
  const id = await runtime.createContainer(sandbox, full, config);
  const capabilities = ['CAP_NET_ADMIN'];
  expect(await specOf(id)).toMatchObject({
    process: {
      user: { uid: 1000, gid: 65534, additionalGids: expect.arrayContaining([4242]) as number[] },
      args: ['true'],
      cwd: '/tmp',
      env: expect.arrayContaining(['GREETING=hello\nworld']) as string[],
      capabilities: { bounding: capabilities },
      noNewPrivileges: true,
      oomScoreAdj: 900,
    },
    root: { readonly: true },
    mounts: expect.arrayContaining([
      expect.objectContaining({ destination: '/in', source: shared, options: ['rbind', 'rslave', 'ro'] }),
      expect.objectContaining({ destination: '/private', source: containerd.folder, options: ['rbind', 'rprivate', 'rw'] }),
    ]) as unknown[],
    linux: {
      cgroupsPath: `${containerd.cgroupRoot}/pod-limits/${id}`,
      devices: [{ path: '/dev/zilch', type: 'c', major: 1, minor: 3 }],
      resources: { memory: { limit: 64 * 2 ** 20, swap: 64 * 2 ** 20 }, cpu: { shares: 204, quota: 20_000, period: 100_000, cpus: '0', mems: '0' } },
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['chroot'] }] },
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys'],
    },
  });
  const privileged = pod('privileged', { linux: { security: { privileged: true } } });
  const other = await runtime.createContainer(await runtime.runPodSandbox(privileged), container('privileged', ['true'], { linux: { security: { privileged: true } } }), privileged);
  expect(JSON.stringify(await specOf(other))).toContain('CAP_SYS_ADMIN');
});

it('[cri-5.2] a pod has its sysctls, name, resolver, limits and namespaces, and an ephemeral container joins its target', async () => {
  const { config, sandbox, id } = await run('isolation', ['sleep', '1000'], {
    pod: {
      hostname: 'edge-host',
      dns: { servers: ['10.96.0.10'], searches: ['test.svc'], options: ['ndots:5'] },
      linux: { cgroupParent: `${containerd.cgroupRoot}/pod-isolation`, sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80' } },
    },
    container: { linux: { resources: { memoryLimitBytes: 32 * 2 ** 20 } } },
  });
  expect(await output(id, 'hostname')).toBe('edge-host');
  expect(await output(id, 'cat', '/etc/resolv.conf')).toBe('search test.svc\nnameserver 10.96.0.10\noptions ndots:5');
  expect(await output(id, 'cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe('80');
  expect(await output(id, 'cat', '/proc/1/cmdline')).toContain('sleep');

  const limit = await output(id, 'sh', '-c', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null');
  expect(limit).toBe(String(32 * 2 ** 20));
  await runtime.updateContainerResources?.(id, { memoryLimitBytes: 48 * 2 ** 20 });
  expect(await output(id, 'sh', '-c', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null')).toBe(String(48 * 2 ** 20));

  const debug = await runtime.createContainer(sandbox, container('debug', ['sleep', '999'], { linux: { security: { targetContainerId: id } } }), config);
  await runtime.startContainer(debug);
  expect(await output(debug, 'cat', '/proc/1/cmdline')).toContain('1000');

  const shared = await run('shared', ['sleep', '1000'], { pod: { sharePID: true } });
  expect(await output(shared.id, 'cat', '/proc/1/cmdline')).toContain('2147483647');
});

it('[cri-5.3] commands run over the streaming URL with input and exit code, and unknown things have no URL', async () => {
  const { sandbox, id } = await run('stream', ['sh', '-c', 'read line; echo "heard $line"; sleep 1000'], { container: { stdin: true, stdinOnce: true } });
  const { streaming } = runtime;
  if (!streaming) throw new Error('no streaming');
  const exec = await streaming.execUrl(id, { command: ['sh', '-c', 'read line; echo "got $line"; echo wrong >&2; exit 3'], stdin: true, stdout: true, stderr: true, tty: false });
  const answer = await speak(exec, 'input\n', 3);
  expect(answer).toMatchObject({ 1: 'got input\n', 2: 'wrong\n' });
  expect(answer[3]).toContain('"status":"Failure"');
  expect(answer[3]).toContain('"message":"3"');

  const attach = await streaming.attachUrl(id, { stdin: true, stdout: true, stderr: true, tty: false });
  expect(await speak(attach, 'there\n', 1)).toMatchObject({ 1: 'heard there\n' });
  expect(await streaming.portForwardUrl(sandbox, [80])).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/portforward\//);
  await expect(streaming.execUrl('absent', { command: ['true'], stdin: false, stdout: true, stderr: true, tty: false })).rejects.toSatisfy((error) => errorCode(error) === CriErrors.notFound);
});

/** Speaks the streaming protocol of four channels over WebSocket until the awaited channel has said something. */
function speak(url: string, input: string, awaited: number): Promise<Record<number, string>> {
  const heard: Record<number, string> = {};
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http:', 'ws:'), 'v4.channel.k8s.io');
    socket.on('open', () => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(input)])));
    socket.on('message', (data: Buffer) => {
      const channel = data[0] ?? 0;
      heard[channel] = `${heard[channel] ?? ''}${data.subarray(1).toString()}`;
      if (channel === awaited && heard[channel] !== '') socket.close();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });
}

it('[cri-5.4] tells what containers and images use, and how the runtime manages control groups', async () => {
  const { sandbox, id } = await run('stats', ['sh', '-c', 'dd if=/dev/zero of=/file bs=1024 count=1024; sleep 1000']);
  const stats = await eventually(async () => {
    const [found] = (await runtime.listContainerStats?.({ id })) ?? [];
    // The writable layer is measured from time to time.
    return found?.cpuNanoseconds && found.writableLayer?.usedBytes ? found : undefined;
  }, 'statistics');
  expect(stats).toMatchObject({ id, labels: { name: 'stats' }, metadata: { name: 'stats', attempt: 0 } });
  expect(stats.at).toBeGreaterThan(Date.now() - 60_000);
  expect(stats.memoryWorkingSetBytes).toBeGreaterThan(0);
  expect(stats.writableLayer?.usedBytes).toBeGreaterThanOrEqual(1024 * 1024);
  expect((await runtime.listContainerStats?.({ sandboxId: sandbox }))?.map((one) => one.id)).toEqual([id]);
  expect(await runtime.listContainerStats?.({ labels: { name: 'nothing' } })).toEqual([]);
  const filesystems = await runtime.imageFilesystems?.();
  expect(filesystems).toEqual([{ mountpoint: expect.stringContaining(containerd.folder) as string, usedBytes: expect.any(Number) as number, inodesUsed: expect.any(Number) as number }]);
  expect(await runtime.cgroupDriver?.()).toBe('cgroupfs');
  expect(await findRuntime(containerd.socket)).toMatchObject({ version: { name: 'containerd', apiVersion: 'v1' } });
});

it('[cri-5.5] pulls images with credentials, and a failed pull says why', async () => {
  const tool = { name: 'team/tool:1', base: 'scratch', files: [{ path: 'file', content: 'x' }], config: { User: 'web' } } as const;
  await using registry = await startRegistry({ images: [tool], account: { username: 'edge', password: 'secret' } });
  const image = `${registry.host}/team/tool:1`;
  const refused: unknown = await runtime.pullImage(image, { username: 'edge', password: 'wrong' }).catch((error: unknown) => error);
  expect(errorText(refused)).toMatch(/^rpc error: code = .*(401|[Uu]nauthorized|authorization failed)/);
  const reference = await runtime.pullImage(image, { username: 'edge', password: 'secret' });
  const pulled = await runtime.imageStatus(image);
  expect(pulled).toMatchObject({ id: reference, tags: [image], username: 'web' });
  expect(pulled?.digests[0]).toMatch(/^localhost:\d+\/team\/tool@sha256:/);
  expect(pulled?.sizeBytes).toBeGreaterThan(0);
  expect((await runtime.listImages()).map(({ id }) => id)).toContain(reference);
  await runtime.removeImage(image);
  await eventually(async () => ((await runtime.imageStatus(image)) === undefined ? true : undefined), 'the image goes');

  const absent: unknown = await runtime.pullImage(`${registry.host}/team/absent:1`, { username: 'edge', password: 'secret' }).catch((error: unknown) => error);
  expect(errorCode(absent)).toBe(CriErrors.imageNotFound);
  expect(errorText(absent)).toMatch(/^rpc error: code = NotFound desc = .*team\/absent:1.*not found/);
  await expect(runtime.pullImage('localhost:1/x:1')).rejects.toThrow('connection refused');
});

it('[cri-5.6] what cannot be done has a code: image, handler, name, state, command', async () => {
  const { config, sandbox, id } = await run('codes', ['sleep', '1000']);
  const code = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', errorCode);
  const create = (change: Partial<ContainerConfig>, name = 'second'): Promise<string> => runtime.createContainer(sandbox, container(name, ['/absent'], change), config);
  expect(await code(create({ image: 'localhost/never/pulled:1' }))).toBe(CriErrors.imageNotFound);
  expect(await code(create({}, 'codes'))).toBe(CriErrors.exists);
  expect(await code(runtime.runPodSandbox(config))).toBe(CriErrors.exists);
  expect(await code(runtime.startContainer(await create({})))).toBe(CriErrors.startFailed);
  expect(await code(runtime.execSync(id, ['/absent'], 5))).toBe(CriErrors.execFailed);
  expect(await code(runtime.execSync(id, ['sleep', '100'], 1))).toBe(CriErrors.execTimeout);
  await runtime.stopContainer(id, 0);
  expect(await code(runtime.execSync(id, ['true'], 5))).toBe(CriErrors.wrongState);
  await expect(runtime.runPodSandbox(pod('handler', { runtimeHandler: 'absent' }))).rejects.toThrow('no runtime for "absent" is configured');
  const other = await runtime.runPodSandbox(pod('other', { runtimeHandler: 'other' }));
  expect(await runtime.podSandboxStatus(other)).toMatchObject({ runtimeHandler: 'other' });
});

it('[cri-5.7] a hanging and a restarted runtime are survived, and containers run on', async () => {
  const { id } = await run('survivor', ['sleep', '1000']);
  await using impatient = await createCriRuntime({ endpoint: containerd.socket, timeoutMs: 4_000 });
  containerd.freeze();
  try {
    await expect(impatient.listContainers()).rejects.toSatisfy((error) => errorCode(error) === CriErrors.timeout);
    await expect(runtime.listContainers({}, AbortSignal.timeout(100))).rejects.toSatisfy(isAbort);
  } finally {
    containerd.thaw();
  }
  expect((await runtime.containerStatus(id)).state).toBe('running');

  const before = await readFile(`/proc/${await pidOf(id)}/stat`, 'utf8');
  await containerd.kill();
  await expect(runtime.listContainers()).rejects.toSatisfy((error) => errorCode(error) === CriErrors.unavailable);
  await sleep(1_000, never);
  await containerd.start();
  const status = await eventually(() => runtime.containerStatus(id).catch(() => undefined), 'the runtime answers');
  expect(status.state).toBe('running');
  expect((await readFile(`/proc/${await pidOf(id)}/stat`, 'utf8')).split(' ')[21]).toBe(before.split(' ')[21]);
});

async function pidOf(id: string): Promise<string> {
  const line = (await containerd.ctr('task', 'ls')).split('\n').find((one) => one.startsWith(id));
  return line?.split(/\s+/)[1] ?? '';
}

it('[cri-7.2] the ends of containers and of sandboxes are told at once, also after the runtime was away; those of commands are not', async () => {
  const { config, sandbox, id } = await run('ends', ['sleep', '1000']);
  const second = await runtime.createContainer(sandbox, container('second', ['sleep', '1000']), config);
  await runtime.startContainer(second);
  await containerd.kill();
  await containerd.start();
  await eventually(() => runtime.version().catch(() => undefined), 'the runtime answers');

  expect(runtime.events).toBeDefined();
  const seen: RuntimeEvent[] = [];
  const abort = new AbortController();
  const listening = (async () => {
    for await (const event of runtime.events?.(abort.signal) ?? []) seen.push(event);
  })();
  const heard = (of: string): Promise<RuntimeEvent> => eventually(async () => seen.find(({ containerId }) => containerId === of), `the end of ${of}`);
  await sleep(100, never);
  expect(await output(id, 'echo', 'hello')).toBe('hello');
  process.kill(Number(await pidOf(id)), 'SIGKILL');
  expect(await heard(id)).toMatchObject({ type: 'stopped', sandboxId: sandbox });
  // What is told is what can be seen.
  expect((await runtime.listContainers({ id }))[0]?.state).toBe('exited');
  process.kill(Number(await pidOf(sandbox)), 'SIGKILL');
  expect(await heard(sandbox)).toMatchObject({ type: 'stopped', sandboxId: sandbox });
  expect((await runtime.podSandboxStatus(sandbox)).state).toBe('notready');
  await runtime.stopContainer(second, 0);
  expect(await heard(second)).toMatchObject({ type: 'stopped', sandboxId: sandbox });
  expect(seen).toHaveLength(3);
  abort.abort();
  await listening;
});
