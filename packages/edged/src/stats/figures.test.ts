import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerRuntime } from '@edge/core';
import { createMemoryRuntime } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cadvisorMetrics } from './cadvisor-metrics.js';
import { DiskUse } from './disk-use.js';
import { measuredRuntime } from './measured-runtime.js';
import { Counter, formatMetrics, Histogram } from './prometheus.js';
import { Rates } from './rates.js';
import { resourceMetrics } from './resource-metrics.js';
import type { Sample } from './sample.js';
import { summary } from './summary.js';

const never = new AbortController().signal;

describe('figures', () => {
  it('[edged-30.20] writes metrics as Prometheus reads them, whatever is in a label', () => {
    const counter = new Counter('things_total', 'Things\nwith a \\');
    counter.add({ name: 'a "b"\n\\' });
    counter.add({ name: 'a "b"\n\\' }, 2);
    const histogram = new Histogram('time_seconds', 'Time', [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe({ op: 'x' }, value);
    const empty = { name: 'none', help: '', type: 'gauge', samples: [] } as const;
    expect(formatMetrics([counter.family(), empty, histogram.family()])).toBe(
      [
        '# HELP things_total Things\\nwith a \\\\',
        '# TYPE things_total counter',
        'things_total{name="a \\"b\\"\\n\\\\"} 3',
        '# HELP time_seconds Time',
        '# TYPE time_seconds histogram',
        'time_seconds_bucket{op="x",le="0.1"} 2',
        'time_seconds_bucket{op="x",le="1"} 3',
        'time_seconds_bucket{op="x",le="+Inf"} 4',
        'time_seconds_sum{op="x"} 3.65',
        'time_seconds_count{op="x"} 4',
        '',
      ].join('\n'),
    );
  });

  it('[edged-30.21] the first rate is that of the whole life, later ones that of the time since the last count', () => {
    const rates = new Rates();
    expect(rates.of('a', 2e9, 10_000, 0)).toBe(2e8);
    rates.forgetOthers();
    expect(rates.of('a', 3e9, 12_000, 0)).toBe(5e8);
    rates.forgetOthers();
    // Too soon to say anything new.
    expect(rates.of('a', 3.1e9, 12_100, 0)).toBe(5e8);
    // Less than before: it was restarted.
    expect(rates.of('a', 1e9, 14_000, 13_000)).toBe(1e9);
    rates.forgetOthers();
    rates.forgetOthers();
    expect(rates.of('a', 1e9, 20_000, 0)).toBe(5e7);
  });

  it('[edged-30.22] calls of the runtime are counted, failed ones too, and absent abilities stay absent', async () => {
    const seen: [string, boolean][] = [];
    const runtime = measuredRuntime<ContainerRuntime>(createMemoryRuntime({}), (operation, _seconds, failed) => seen.push([operation, failed]));
    await runtime.listPodSandboxes();
    await runtime.containerStatus('none').catch(() => undefined);
    expect(seen).toEqual([
      ['list_podsandbox', false],
      ['container_status', true],
    ]);
    expect(runtime.streaming).toBeUndefined();
    expect(runtime.events).toBeTypeOf('function');
    expect(runtime.listContainers).toBe(runtime.listContainers);
  });
});

describe('what directories take', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'disk-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('[edged-30.23] measures no more often than it should', async () => {
    const disks = new DiskUse({ maxAgeMs: 60_000 });
    const first = await disks.of(root, never);
    await writeFile(join(root, 'new'), 'x');
    expect(await disks.of(root, never)).toEqual(first);
    expect(await new DiskUse({ maxAgeMs: 0 }).of(root, never)).toMatchObject({ inodesUsed: 2 });
    // One that takes too long is told of when it is done.
    const hasty = new DiskUse({ maxAgeMs: 60_000, patienceMs: 0 });
    await expect.poll(() => hasty.of(root, never)).toMatchObject({ inodesUsed: 2 });
  });
});

const fs = { capacityBytes: 1000, availableBytes: 600, usedBytes: 400, inodes: 100, inodesFree: 60 };
const eth0 = { name: 'eth0', rxBytes: 1, rxPackets: 2, rxErrors: 3, rxDropped: 4, txBytes: 5, txPackets: 6, txErrors: 7, txDropped: 8 };
const sample: Sample = {
  at: 1_700_000_000_000,
  node: {
    name: 'edge-1',
    machine: {
      cpuNanoseconds: 5e9,
      bootedAt: 1_600_000_000_000,
      memory: { totalBytes: 100, usageBytes: 60, workingSetBytes: 50, rssBytes: 40, cacheBytes: 10, pageFaults: 7, majorPageFaults: 1 },
      swap: { totalBytes: 10, usedBytes: 4 },
      interfaces: [eth0],
      processes: { most: 32768, now: 99 },
    },
    cpuRate: 123,
    fs,
    imageFs: { ...fs, ownBytes: 11, ownInodes: 12 },
    agent: { startedAt: 1_650_000_000_000, cpuRate: 5, use: { cpuNanoseconds: 6, memoryWorkingSetBytes: 7 } },
  },
  pods: [
    {
      uid: 'u',
      name: 'web',
      namespace: 'default',
      sandboxId: 'sb',
      startedAt: 1_690_000_000_000,
      group: { path: '/kubepods/podu', use: { cpuNanoseconds: 3e9, memoryWorkingSetBytes: 20, memoryUsageBytes: 25, memoryLimitBytes: 64, processes: 2 }, cpuRate: 10 },
      interfaces: [eth0],
      containers: [
        {
          id: 'id1',
          name: 'c',
          image: 'busybox',
          startedAt: 1_690_000_000_500,
          path: '/kubepods/podu/id1',
          use: { cpuNanoseconds: 2e9, memoryWorkingSetBytes: 15, memoryUsageBytes: 16, cpuQuota: 50_000, cpuPeriod: 100_000, periods: 9, throttledPeriods: 1 },
          cpuRate: 9,
          writableLayer: { usedBytes: 30, inodesUsed: 3 },
          logs: { usedBytes: 5, inodesUsed: 1 },
        },
      ],
      volumes: [
        { name: 'scratch', ephemeral: true, fs, use: { usedBytes: 7, inodesUsed: 2 } },
        { name: 'tmpfs', ephemeral: false, fs, use: { usedBytes: 1000, inodesUsed: 1 } },
      ],
    },
  ],
};

describe('answers', () => {
  it('[edged-30.30] the summary has node, containers, volumes and what the pod takes of the node\'s disk', () => {
    const time = '2023-11-14T22:13:20Z';
    expect(JSON.parse(JSON.stringify(summary(sample, false)))).toMatchObject({
      node: {
        nodeName: 'edge-1',
        startTime: '2020-09-13T12:26:40Z',
        cpu: { time, usageNanoCores: 123, usageCoreNanoSeconds: 5e9 },
        memory: { availableBytes: 50, usageBytes: 60, workingSetBytes: 50, rssBytes: 40 },
        swap: { swapAvailableBytes: 6, swapUsageBytes: 4 },
        network: { name: 'eth0', rxBytes: 1, interfaces: [{ name: 'eth0' }] },
        fs: { capacityBytes: 1000, availableBytes: 600, usedBytes: 400, inodesUsed: 40 },
        runtime: { imageFs: { usedBytes: 11, inodesUsed: 12 }, containerFs: { capacityBytes: 1000 } },
        rlimit: { maxpid: 32768, curproc: 99 },
        systemContainers: [{ name: 'kubelet', cpu: { usageCoreNanoSeconds: 6 } }],
      },
      pods: [
        {
          podRef: { name: 'web', namespace: 'default', uid: 'u' },
          cpu: { usageNanoCores: 10, usageCoreNanoSeconds: 3e9 },
          memory: { availableBytes: 44, workingSetBytes: 20 },
          containers: [{ name: 'c', rootfs: { usedBytes: 30, capacityBytes: 1000 }, logs: { usedBytes: 5, availableBytes: 600 } }],
          volume: [
            { name: 'scratch', usedBytes: 7 },
            { name: 'tmpfs', usedBytes: 1000 },
          ],
          'ephemeral-storage': { usedBytes: 42, inodesUsed: 6 },
          process_stats: { process_count: 2 },
          network: { name: 'eth0' },
        },
      ],
    });
  });

  it('[edged-30.31] a pod whose own group is not known has the sum of its containers', () => {
    const { group: _, ...pod } = sample.pods[0] as Sample['pods'][number];
    const short = JSON.parse(JSON.stringify(summary({ ...sample, pods: [pod] }, true))) as { pods: object[] };
    expect(short.pods[0]).toMatchObject({ cpu: { usageNanoCores: 9, usageCoreNanoSeconds: 2e9 }, memory: { workingSetBytes: 15 } });
    expect(Object.keys(short.pods[0] as object).sort()).toEqual(['containers', 'cpu', 'memory', 'podRef', 'startTime', 'swap']);
  });

  it('[edged-30.32] has the series that metrics-server and the usual dashboards ask for', () => {
    const resource = formatMetrics(resourceMetrics(sample)).split('\n');
    expect(resource).toEqual(
      expect.arrayContaining([
        'container_cpu_usage_seconds_total{container="c",namespace="default",pod="web"} 2 1700000000000',
        'container_memory_working_set_bytes{container="c",namespace="default",pod="web"} 15 1700000000000',
        'container_start_time_seconds{container="c",namespace="default",pod="web"} 1690000000.5',
        'node_cpu_usage_seconds_total 5 1700000000000',
        'pod_memory_working_set_bytes{namespace="default",pod="web"} 20 1700000000000',
        'resource_scrape_error 0',
      ]),
    );
    const cadvisor = formatMetrics(cadvisorMetrics(sample)).split('\n');
    const container = 'container="c",id="/kubepods/podu/id1",image="busybox",name="id1",namespace="default",pod="web"';
    expect(cadvisor).toEqual(
      expect.arrayContaining([
        `container_cpu_usage_seconds_total{${container},cpu="total"} 2 1700000000000`,
        `container_memory_working_set_bytes{${container}} 15 1700000000000`,
        `container_cpu_cfs_throttled_periods_total{${container}} 1 1700000000000`,
        'container_network_receive_bytes_total{container="",id="/kubepods/podu/sb",image="",name="sb",namespace="default",pod="web",interface="eth0"} 1 1700000000000',
        'container_memory_working_set_bytes{container="",id="/",image="",name="",namespace="",pod=""} 50 1700000000000',
      ]),
    );
    // Each name once, with one header.
    for (const lines of [resource, cadvisor]) {
      const headers = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
      expect(new Set(headers).size).toBe(headers.length);
      for (const line of lines.slice(0, -1)) expect(line).toMatch(/^(# (HELP|TYPE) .*|[a-z_]+(\{([a-z_]+="[^"]*",?)*\})? [\d.e+]+( \d+)?)$/);
    }
  });
});
