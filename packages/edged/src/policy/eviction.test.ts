import { mkdir, mkdtemp, rm, symlink, link, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Pod, PodStatus } from '@edge/protocol';
import { silentLogger, sleep } from '@edge/core';
import { somePod } from '../../test/plan-kit.js';
import { directoryUse } from '../facts/directory-use.js';
import type { PodVerdict } from '../plan/verdict.js';
import type { PodRecord } from '../pods/pods-view.js';
import { Eviction } from './eviction.js';
import { NodeSignals } from './node-signals.js';
import type { Observations } from './plan-eviction.js';
import { PodUseReader } from './pod-use.js';
import { parseThresholds, type EvictionSignal } from './thresholds.js';

const MI = 2n ** 20n;
const now = new AbortController().signal;
let folder: string | undefined;
afterEach(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
  folder = undefined;
});

class Scene {
  readonly verdicts = new Map<string, PodVerdict>();
  readonly records: PodRecord[] = [];
  readonly changes: string[] = [];
  reclaimed = 0;
  left: Partial<Record<EvictionSignal, bigint>> = { 'memory.available': 900n * MI, 'nodefs.available': 900n * MI };
  /** What is free once unused things were removed. */
  afterReclaim: Partial<Record<EvictionSignal, bigint>> = {};
  used = new Map<string, bigint>();
  readonly eviction: Eviction;

  constructor(soft = false) {
    this.eviction = new Eviction({
      thresholds: parseThresholds({
        evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
        evictionSoft: soft ? { 'memory.available': '500Mi' } : {},
        softGraceMs: { 'memory.available': 1 },
        minimumReclaim: {},
        watchAllocatable: false,
      }),
      transitionMs: 300_000,
      softGraceSeconds: 15,
      limitStorage: true,
      signals: { observe: () => Promise.resolve(this.#seen()), hasOwnImageDisk: () => Promise.resolve(false) },
      use: {
        measure: () => Promise.resolve(new Map([...this.used].map(([uid, total]) => [uid, { total, containers: new Map([['c', total]]) }]))),
        disk: () => Promise.resolve(new Map([...this.used].map(([uid, total]) => [uid, { total, containers: new Map([['c', total]]) }]))),
      },
      pods: { list: () => this.records, byUid: (uid) => this.records.find(({ pod }) => pod.metadata.uid === uid) },
      control: { fail: (uid, verdict) => void this.verdicts.set(uid, verdict) },
      reclaimDisk: () => {
        this.reclaimed += 1;
        this.left = { ...this.left, ...this.afterReclaim };
        return Promise.resolve();
      },
      onPressure: () => void this.changes.push([...this.eviction.pressure].join()),
      log: silentLogger,
    });
  }

  add(uid: string, used: bigint, spec: Partial<Pod['spec']> = {}, status: PodStatus = { phase: 'Running', startTime: '2026-01-01T00:00:00Z' }, annotations = {}): void {
    this.records.push({ pod: somePod(spec, {}, { uid, name: uid, annotations }), status, terminating: false, removed: false });
    this.used.set(uid, used);
  }

  look(): Promise<string[]> {
    return this.eviction.look(now);
  }

  #seen(): Observations {
    return new Map(Object.entries(this.left).map(([signal, available]) => [signal as EvictionSignal, { available, capacity: 1000n * MI }]));
  }
}

describe('Eviction', () => {
  it('[edged-32.10] ends one pod at a time, the one that goes furthest beyond its request, and never one that the system needs', async () => {
    const scene = new Scene();
    scene.add('small', 10n * MI);
    scene.add('big', 500n * MI);
    scene.add('critical', 900n * MI, { priority: 2_000_000_000 });
    scene.add('static', 900n * MI, {}, undefined, { 'kubernetes.io/config.source': 'file' });
    scene.add('over', 900n * MI, {}, { phase: 'Succeeded', startTime: '2026-01-01T00:00:00Z' });
    scene.add('never-begun', 0n, {}, { phase: 'Pending' });
    expect(await scene.look()).toEqual([]);
    scene.left['memory.available'] = 50n * MI;
    expect(await scene.look()).toEqual(['big']);
    expect(scene.verdicts.get('big')).toMatchObject({ reason: 'Evicted', graceSeconds: 1, conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }] });
    expect(scene.verdicts.get('big')?.message).toContain('The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi.');
    expect([...scene.verdicts.keys()]).toEqual(['big']);
    expect(await scene.look()).toEqual(['small']);
    expect(await scene.look()).toEqual([]);
    expect(scene.changes).toEqual(['MemoryPressure']);
  });

  it('[edged-32.11] for disk space what nobody uses goes first, and pods only when that is not enough', async () => {
    const scene = new Scene();
    scene.add('writer', 500n * MI);
    scene.left['nodefs.available'] = 50n * MI;
    scene.afterReclaim = { 'nodefs.available': 300n * MI };
    expect(await scene.look()).toEqual([]);
    expect([scene.reclaimed, scene.verdicts.size, scene.changes]).toEqual([1, 0, ['DiskPressure']]);
    scene.left['nodefs.available'] = 50n * MI;
    scene.afterReclaim = {};
    expect(await scene.look()).toEqual(['writer']);
    expect(scene.verdicts.get('writer')?.message).toContain('low on resource: ephemeral-storage');
  });

  it('[edged-32.12] at a soft limit a pod gets its own time, up to the configured one', async () => {
    const scene = new Scene(true);
    scene.add('quick', 500n * MI, { terminationGracePeriodSeconds: 5 });
    scene.add('slow', 100n * MI, { terminationGracePeriodSeconds: 60 });
    scene.left['memory.available'] = 400n * MI;
    expect(await scene.look()).toEqual([]);
    await sleep(5, now);
    await scene.look();
    await scene.look();
    expect([scene.verdicts.get('quick')?.graceSeconds, scene.verdicts.get('slow')?.graceSeconds]).toEqual([5, 15]);
  });

  it('[edged-32.13] a pod that has written more than it may is evicted, whatever the node has left', async () => {
    const scene = new Scene();
    scene.add('writer', 20n * MI, { containers: [{ name: 'c', resources: { limits: { 'ephemeral-storage': '10Mi' } } }] });
    scene.add('other', 20n * MI);
    expect(await scene.look()).toEqual(['writer']);
    expect(scene.verdicts.get('writer')).toMatchObject({ reason: 'Evicted', graceSeconds: 1, conditions: [] });
  });
});

describe('what is measured', () => {
  it('[edged-32.14] reads the signals of this machine', async () => {
    folder = await mkdtemp(join(tmpdir(), 'signals-'));
    const signals = new NodeSignals({ rootDirectory: folder, runtime: {}, podsGroup: '/no-such-group', podMemory: () => 1n });
    const seen = await signals.observe(now);
    for (const signal of ['memory.available', 'nodefs.available', 'imagefs.available', 'pid.available'] as const) {
      const { available, capacity } = seen.get(signal) ?? { available: -1n, capacity: -1n };
      expect(available > 0n && available <= capacity, signal).toBe(true);
    }
    expect(seen.has('allocatableMemory.available')).toBe(false);
    expect(await signals.hasOwnImageDisk(now)).toBe(false);
  });

  it('[edged-32.15] counts the files of a pod, each once, and nothing that links lead to', async () => {
    folder = await mkdtemp(join(tmpdir(), 'use-'));
    const data = Buffer.alloc(1024 * 1024, 1);
    const volume = join(folder, 'pods/u1/volumes/kubernetes.io~empty-dir/data/deep');
    await mkdir(volume, { recursive: true });
    await mkdir(join(folder, 'logs/ns_p_u1/c'), { recursive: true });
    await writeFile(join(volume, 'file'), data);
    await link(join(volume, 'file'), join(volume, 'same'));
    await symlink('/usr', join(volume, 'elsewhere'));
    await writeFile(join(folder, 'logs/ns_p_u1/c/0.log'), data);
    const { bytes, inodes } = await directoryUse(volume, now);
    expect(bytes >= MI && bytes < 2n * MI).toBe(true);
    expect(inodes).toBe(3n);
    expect(await directoryUse(join(folder, 'none'), now)).toEqual({ bytes: 0n, inodes: 0n });
    const reader = new PodUseReader({ runtime: {}, rootDirectory: folder, podLogsDir: join(folder, 'logs') });
    const use = (await reader.measure('nodefs.available', [somePod({}, {}, { uid: 'u1' })], { files: true, layers: true }, now)).get('u1');
    expect((use?.total ?? 0n) >= 2n * MI).toBe(true);
    expect((use?.containers.get('c') ?? 0n) >= MI).toBe(true);
  });
});
