import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { collectingLogger, type LogLine } from '@edge/testing';
import { somePod } from '../../test/plan-kit.js';
import { CgroupFilesystem } from './cgroup-filesystem.js';
import { readCgroupMounts, type CgroupMounts } from './cgroup-mounts.js';
import { PodCgroups } from './pod-cgroups.js';
import { podsMayTake, reservedGroups } from './reservations.js';
import { amounts } from '../plan/pod-resources.js';
import { SystemdSlices } from './systemd-slices.js';

const never = new AbortController().signal;
const Mi = 2n ** 20n;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The machine's own control groups, below a root that nobody else uses. */
async function ownRoot(): Promise<{ tree: CgroupFilesystem; root: string; mounts: CgroupMounts }> {
  const mounts = await readCgroupMounts();
  const tree = new CgroupFilesystem({ mounts });
  const root = `/edgetest-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  cleanups.push(() => tree.remove(root, never));
  return { tree, root, mounts };
}

/** Files as version 2 has them, without a kernel behind. */
async function paperVersion2(): Promise<{ tree: CgroupFilesystem; path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'cgroup2-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  const controllers = ['cpuset', 'cpu', 'memory', 'pids'];
  return { tree: new CgroupFilesystem({ mounts: { version: 2, hierarchies: [{ path, controllers }] } }), path };
}

function cgroups(tree: CgroupFilesystem, root: string, lines: LogLine[] = [], over: Partial<ConstructorParameters<typeof PodCgroups>[0]> = {}): PodCgroups {
  return new PodCgroups({
    tree,
    naming: { driver: 'cgroupfs', root },
    resources: {
      machine: {
        cgroupVersion: tree.version,
        controllers: tree.controllers,
        memoryBytes: 1024n * Mi,
        swapBytes: 0n,
        swapAccounting: false,
        hugepageSizes: [],
        allocatableMemoryBytes: 1024n * Mi,
      },
      settings: { cpuCfsQuota: true, cpuCfsPeriod: 100_000, singleProcessOomKill: true, limitedSwap: false, memoryQos: false, memoryThrottlingFactor: 0.9 },
    },
    podPidsLimit: 50,
    podsMayTake: amounts({ cpu: '2', memory: '512Mi', pid: '1000' }),
    reserved: [],
    pods: () => [],
    log: collectingLogger(lines),
    ...over,
  });
}

describe('control groups of this machine', () => {
  it('[edged-26.40] are made for every controller, exist then, and are removed with what runs in them', async () => {
    const { tree, root, mounts } = await ownRoot();
    const path = `${root}/kubepods/podx`;
    expect(await tree.exists(path)).toBe(false);
    await tree.make(path, { pids: 5n, memoryBytes: 32n * Mi });
    await tree.make(`${path}/container`, {});
    expect(await tree.exists(path)).toBe(true);
    const places = mounts.hierarchies.map((hierarchy) => join(hierarchy.path, path));
    expect(places.every((place) => existsSync(place))).toBe(true);
    const stray = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => stray.once('exit', (_code, signal) => resolve(signal)));
    writeFileSync(join(places[0] ?? '', 'container', 'cgroup.procs'), String(stray.pid));
    await tree.remove(path, never);
    expect(await ended).toBe('SIGKILL');
    expect(places.some((place) => existsSync(place))).toBe(false);
    await tree.remove(path, never);
  });

  it('[edged-26.41] of pods that nobody knows are removed, of others kept', async () => {
    const { tree, root } = await ownRoot();
    const own = cgroups(tree, root);
    await own.prepare();
    const [kept, lost] = ['kept', 'lost'].map((uid) => somePod({}, {}, { uid }));
    await own.make(kept as never);
    await own.make(lost as never);
    expect(await own.exists(kept as never)).toBe(true);
    await own.sweep((uid) => uid === 'kept', never);
    expect([await own.exists(kept as never), await own.exists(lost as never)]).toEqual([true, false]);
    await own.release('kept', never);
    expect(await own.exists(kept as never)).toBe(false);
  });

  it('[edged-26.42] keep their pods when the limit of all together cannot be set now, which is said once', async () => {
    const { tree, root } = await ownRoot();
    const lines: LogLine[] = [];
    const refuse = vi.spyOn(tree, 'make').mockImplementation(async (path, limits) => {
      if (limits.memoryBytes !== undefined) throw new Error('device busy');
      return CgroupFilesystem.prototype.make.call(tree, path, limits);
    });
    const own = cgroups(tree, root, lines);
    await own.prepare();
    await own.prepare();
    expect(lines.filter(({ message }) => message.includes('reserved on this node'))).toHaveLength(1);
    refuse.mockRestore();
    expect(await tree.exists(`${root}/kubepods/besteffort`)).toBe(true);
  });
});

describe('control groups of version 2', () => {
  it('[edged-26.43] get their controllers from every group above, and limits in the words of that version', async () => {
    const { tree, path } = await paperVersion2();
    const own = cgroups(tree, '/');
    await own.prepare();
    const pod = somePod({ containers: [{ name: 'c', resources: { requests: { cpu: '500m' }, limits: { cpu: '1', memory: '64Mi' } } }] }, {}, { uid: 'u' });
    const weighed = cgroups(tree, '/', [], { pods: () => [pod] });
    await weighed.make(pod);
    const read = (...parts: string[]): string => readFileSync(join(path, ...parts), 'utf8');
    // Each controller is asked for by itself, so that one that is refused does not spoil the others; paper keeps the last.
    for (const above of ['.', 'kubepods', 'kubepods/burstable']) expect(read(above, 'cgroup.subtree_control')).toBe('+pids');
    expect(read('kubepods', 'memory.max')).toBe(String(512n * Mi));
    expect(read('kubepods', 'cpu.weight')).toBe('79');
    expect(read('kubepods', 'pids.max')).toBe('1000');
    expect(read('kubepods/besteffort', 'cpu.weight')).toBe('1');
    expect(read('kubepods/burstable', 'cpu.weight')).toBe('20');
    expect(read('kubepods/burstable/podu', 'cpu.max')).toBe('100000 100000');
    expect(read('kubepods/burstable/podu', 'memory.max')).toBe(String(64n * Mi));
    expect(read('kubepods/burstable/podu', 'pids.max')).toBe('50');
  });
});

describe('reservations', () => {
  const settings = {
    enforce: ['pods'],
    systemReserved: { cpu: '500m', memory: '100Mi' },
    kubeReserved: { memory: '50Mi' },
    systemReservedCgroup: '/system',
    kubeReservedCgroup: '',
  };

  it('[edged-26.44] are kept from the pods together, and enforced on others where wanted', () => {
    const capacity = amounts({ cpu: '2', memory: '1Gi', pid: '10' });
    expect(podsMayTake(capacity, settings)).toEqual(amounts({ cpu: '1500m', memory: '874Mi', pid: '10' }));
    expect(podsMayTake(capacity, { ...settings, enforce: ['none'] })).toEqual(capacity);
    expect(podsMayTake(amounts({ memory: '1Mi' }), settings)).toEqual(amounts({ memory: '0' }));
    expect(reservedGroups(settings)).toEqual([]);
    expect(reservedGroups({ ...settings, enforce: ['system-reserved', 'kube-reserved'] })).toEqual([{ cgroup: '/system', limits: amounts(settings.systemReserved) }]);
    expect(reservedGroups({ ...settings, enforce: ['system-reserved-compressible'] })).toEqual([{ cgroup: '/system', limits: amounts({ cpu: '500m' }) }]);
  });
});

describe('slices', () => {
  it('[edged-26.45] are started once from the top, changed when they are there, and stopped before they are removed', async () => {
    const { tree: files, path } = await paperVersion2();
    const calls: string[] = [];
    const there = new Set(['kubepods.slice']);
    const busctl = async (args: readonly string[]): Promise<void> => {
      calls.push(`${args[4]} ${args[6]}`);
      if (args[4] === 'StartTransientUnit' && there.has(args[6] ?? '')) throw new Error('Unit kubepods.slice already exists.');
    };
    const lines: LogLine[] = [];
    const slices = new SystemdSlices({ files, busctl, log: collectingLogger(lines) });
    await slices.make('/kubepods.slice', { memoryBytes: 5n });
    await slices.make('/kubepods.slice/kubepods-podx.slice', { pids: 7n });
    await slices.make('/kubepods.slice/kubepods-podx.slice', { pids: 7n });
    expect(calls).toEqual(['StartTransientUnit kubepods.slice', 'SetUnitProperties kubepods.slice', 'StartTransientUnit kubepods-podx.slice']);
    expect(readFileSync(join(path, 'kubepods.slice/kubepods-podx.slice/pids.max'), 'utf8')).toBe('7');
    rmSync(join(path, 'kubepods.slice/kubepods-podx.slice'), { recursive: true });
    mkdirSync(join(path, 'kubepods.slice/kubepods-podx.slice'));
    await slices.remove('/kubepods.slice/kubepods-podx.slice', never);
    expect(calls.at(-1)).toBe('StopUnit kubepods-podx.slice');
    expect(lines).toEqual([]);
  });

  it('[edged-26.46] that systemd does not take are limited by their files all the same, and it is said', async () => {
    const { tree: files, path } = await paperVersion2();
    const lines: LogLine[] = [];
    const busctl = (): Promise<void> => Promise.reject(new Error('no bus'));
    await new SystemdSlices({ files, busctl, log: collectingLogger(lines) }).make('/kubepods.slice', { pids: 7n });
    expect(readFileSync(join(path, 'kubepods.slice/pids.max'), 'utf8')).toBe('7');
    expect(lines).toMatchObject([{ message: 'systemd does not take the limits of a slice' }]);
  });
});
