import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '@edge/protocol';
import { somePod } from '../../test/plan-kit.js';
import { podLimits, podRequests } from '../plan/pod-resources.js';
import { limitFiles } from './cgroup-files.js';
import { cpuQuota, cpuShares, cpuWeight } from './cpu.js';
import { hugepageName, type LinuxMachine, type ResourceSettings } from './machine.js';
import { oomScoreAdj } from './oom-score.js';
import { containerResources, podCgroupLimits, sandboxResources } from './resources.js';

const Mi = 2n ** 20n;
const Gi = 2n ** 30n;
const machine: LinuxMachine = {
  cgroupVersion: 1,
  controllers: new Set(['cpu', 'cpuset', 'memory', 'pids', 'hugetlb']),
  memoryBytes: 10n * Gi,
  swapBytes: 2n * Gi,
  swapAccounting: true,
  hugepageSizes: [2n * Mi, Gi],
  allocatableMemoryBytes: 9n * Gi,
};
const settings: ResourceSettings = {
  cpuCfsQuota: true,
  cpuCfsPeriod: 100_000,
  singleProcessOomKill: false,
  limitedSwap: false,
  memoryQos: false,
  memoryThrottlingFactor: 0.9,
};

type Amounts = Record<string, string>;
const container = (requests: Amounts = {}, limits: Amounts = {}, over: Partial<Container> = {}): Container => ({ name: 'c', resources: { requests, limits }, ...over });
const sidecar = (requests: Amounts): Container => container(requests, {}, { name: 's', restartPolicy: 'Always' });
const pod = (spec: Partial<PodSpec>): ReturnType<typeof somePod> => somePod(spec);
const of = (one: Container, over: Partial<LinuxMachine & ResourceSettings> = {}, spec: Partial<PodSpec> = {}): ReturnType<typeof containerResources> =>
  containerResources(pod({ containers: [one], ...spec }), one, { machine: { ...machine, ...over }, settings: { ...settings, ...over } });

describe('processor time', () => {
  it('[edged-26.1] is shared by request and limited by quota, within what the kernel takes', () => {
    expect([0n, 1n, 500n, 2000n, 10n ** 9n].map(cpuShares)).toEqual([2, 2, 512, 2048, 262_144]);
    expect([0n, 1n, 500n, 1500n].map((milli) => cpuQuota(milli, 100_000))).toEqual([0, 1000, 50_000, 150_000]);
    expect([2, 1024, 262_144].map(cpuWeight)).toEqual([1, 39, 10_000]);
  });
});

describe('containerResources', () => {
  it('[edged-26.2] says the limits in the words of the kernel; no swap beyond the memory limit', () => {
    expect(of(container({ cpu: '250m', memory: '64Mi' }, { cpu: '500m', memory: '128Mi', 'hugepages-2Mi': '4Mi' }))).toEqual({
      cpuShares: 256,
      cpuQuota: 50_000,
      cpuPeriod: 100_000,
      memoryLimitBytes: 134_217_728,
      memorySwapLimitBytes: 134_217_728,
      oomScoreAdj: 994,
      hugepageLimits: [
        { pageSize: '2MB', limitBytes: 4_194_304 },
        { pageSize: '1GB', limitBytes: 0 },
      ],
    });
  });

  it('[edged-26.3] asks for as much processor time as the limit where there is no request', () => {
    expect(of(container({}, { cpu: '1' })).cpuShares).toBe(1024);
    expect(of(container())).toMatchObject({ cpuShares: 2, cpuQuota: 0 });
    expect(of(container())).not.toHaveProperty('memoryLimitBytes');
  });

  it('[edged-26.4] leaves out what the kernel has no controller for, and quotas that are switched off', () => {
    const bare = of(container({}, { cpu: '1', memory: '1Gi' }), { controllers: new Set(['pids']) });
    expect(Object.keys(bare)).toEqual(['oomScoreAdj']);
    expect(of(container({}, { cpu: '1' }), { cpuCfsQuota: false })).not.toHaveProperty('cpuQuota');
    expect(of(container({}, { cpu: '1' }), { cpuCfsPeriod: 20_000 })).toMatchObject({ cpuQuota: 20_000, cpuPeriod: 20_000 });
  });

  it('[edged-26.5] on version 2 ends whole containers and gives swap by share of the memory asked for, where allowed', () => {
    const burstable = container({ memory: '1Gi' }, { memory: '2Gi' });
    expect(of(burstable, { cgroupVersion: 2 }).unified).toEqual({ 'memory.oom.group': '1', 'memory.swap.max': '0' });
    expect(of(burstable, { cgroupVersion: 2, singleProcessOomKill: true, swapAccounting: false })).not.toHaveProperty('unified');
    expect(of(burstable, { cgroupVersion: 2, limitedSwap: true }).unified?.['memory.swap.max']).toBe(String((2n * Gi) / 10n));
    expect(of(burstable, { cgroupVersion: 2, limitedSwap: true }, { priority: 2_000_000_000 }).unified?.['memory.swap.max']).toBe('0');
    expect(of(container({}, { memory: '1Gi', cpu: '1' }), { cgroupVersion: 2, limitedSwap: true }).unified?.['memory.swap.max']).toBe('0');
  });

  it('[edged-26.6] with MemoryQoS guarantees the request and throttles before the limit', () => {
    const unified = of(container({ memory: '1Gi' }, { memory: '2Gi' }), { cgroupVersion: 2, memoryQos: true, swapAccounting: false }).unified;
    expect(unified).toMatchObject({ 'memory.min': String(Gi), 'memory.high': String(Math.floor((Number(Gi) * 1.9) / 4096) * 4096) });
    expect(of(container({ memory: '1Gi' }, { memory: '1Gi' }), { cgroupVersion: 2, memoryQos: true }).unified).not.toHaveProperty('memory.high');
  });
});

describe('oomScoreAdj', () => {
  it.each<[string, Partial<PodSpec>, number]>([
    ['a guaranteed pod almost never', { containers: [container({}, { cpu: '1', memory: '1Gi' })] }, -997],
    ['a pod that asks for nothing first', { containers: [container()] }, 1000],
    ['a node-critical pod almost never', { containers: [container()], priorityClassName: 'system-node-critical' }, -997],
    ['a pod with a tenth of the memory in between', { containers: [container({ memory: '1Gi' })] }, 900],
    ['a pod that asks for processor time only, next after those that ask for nothing', { containers: [container({ cpu: '1' })] }, 999],
    ['a pod with all of the memory still before guaranteed ones', { containers: [container({ memory: '11Gi' })] }, 3],
  ])('[edged-26.7] ends %s', (_title, spec, score) => {
    expect(oomScoreAdj(pod(spec), spec.containers?.[0] as Container, machine.memoryBytes)).toBe(score);
  });

  it('[edged-26.8] ends a sidecar not before the regular containers', () => {
    const spec = { initContainers: [sidecar({ memory: '1Mi' })], containers: [container({ memory: '1Gi' }), container({ memory: '5Gi' }, {}, { name: 'd' })] };
    expect(oomScoreAdj(pod(spec), spec.initContainers[0] as Container, machine.memoryBytes)).toBe(900);
  });
});

describe('pod totals', () => {
  it('[edged-26.9] count the most demanding moment: all regular containers, or an init container with the sidecars before it', () => {
    const spec: Partial<PodSpec> = {
      initContainers: [container({ cpu: '3' }, {}, { name: 'first' }), sidecar({ cpu: '500m', memory: '1Mi' }), container({ cpu: '2' }, {}, { name: 'last' })],
      containers: [container({ cpu: '1' }, { memory: '1Mi' }), container({ cpu: '1' }, { memory: '1Mi' })],
      overhead: { cpu: '100m', memory: '10' },
    };
    expect(podRequests(pod(spec))).toEqual(
      new Map([
        ['cpu', 3100n],
        ['memory', 3n * Mi * 1000n + 10_000n],
      ]),
    );
    expect(podLimits(pod(spec))).toEqual(new Map([['memory', 2n * Mi * 1000n + 10_000n]]));
    expect(sandboxResources(pod(spec), { machine, settings })).toMatchObject({
      resources: { cpuShares: 3072, memoryLimitBytes: Number(2n * Mi) },
      overhead: { cpuShares: 102, cpuQuota: 10_000, memoryLimitBytes: 10 },
    });
  });
});

describe('podCgroupLimits', () => {
  const limitsOf = (spec: Partial<PodSpec>, pids = -1): ReturnType<typeof podCgroupLimits> => podCgroupLimits(pod(spec), pids, { machine, settings });

  it('[edged-26.10] limit the pod only in what all its containers are limited in', () => {
    expect(limitsOf({ containers: [container({}, { cpu: '1', memory: '1Mi' }), container({}, { cpu: '500m' })] })).toMatchObject({
      cpuShares: 1536,
      cpuQuota: 150_000,
      cpuPeriod: 100_000,
    });
    expect(limitsOf({ containers: [container({}, { cpu: '1', memory: '1Mi' }), container({}, { cpu: '500m' })] })).not.toHaveProperty('memoryBytes');
    expect(limitsOf({ containers: [container({}, { memory: '1Mi' })] }).memoryBytes).toBe(Mi);
    expect(limitsOf({ containers: [container()] })).toEqual({ cpuShares: 2, hugepages: new Map([[2n * Mi, 0n], [Gi, 0n]]) });
    expect(limitsOf({ containers: [container()] }, 100).pids).toBe(100n);
  });

  it('[edged-26.11] become files of either version', () => {
    const limits = { ...limitsOf({ containers: [container({}, { cpu: '1', memory: '1Mi' })] }, 100), hugepages: new Map([[2n * Mi, 0n]]) };
    expect(limitFiles(1, limits).map(({ file, value }) => `${file}=${value}`)).toEqual([
      'cpu.shares=1024',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=100000',
      'memory.limit_in_bytes=1048576',
      'pids.max=100',
      'hugetlb.2MB.limit_in_bytes=0',
    ]);
    expect(limitFiles(2, { ...limits, memoryMinBytes: 5n }).map(({ file, value }) => `${file}=${value}`)).toEqual([
      'cpu.weight=39',
      'cpu.max=100000 100000',
      'memory.max=1048576',
      'memory.min=5',
      'pids.max=100',
      'hugetlb.2MB.max=0',
    ]);
    expect(limitFiles(1, { cpuQuota: 0 })).toMatchObject([{ value: '-1' }]);
    expect(limitFiles(2, { cpuQuota: 0 })).toMatchObject([{ value: 'max 100000' }]);
    expect([2n * Mi, Gi, 64n * 1024n].map(hugepageName)).toEqual(['2MB', '1GB', '64KB']);
  });
});
