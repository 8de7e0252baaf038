import { describe, expect, it } from 'vitest';
import { NodeMeasurements } from './node-measurements.js';
import { nodeMetrics, podMetrics } from './objects.js';
import { parseScrape, type Scrape } from './scrape-text.js';
import { nodeUsage, podUsage } from './usage.js';

/** As KubeEdge v1.23 writes it: a container, and the machine. */
const text = (cpu: number, node: number, at: number, start = 1.795e9): string => `# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="c",namespace="default",pod="p"} ${cpu} ${at}
container_cpu_usage_seconds_total{container="half",namespace="default",pod="q"} 1 ${at}
container_memory_working_set_bytes{container="c",namespace="default",pod="p"} 3.407872e+06 ${at}
container_start_time_seconds{container="c",namespace="default",pod="p"} ${start}
node_cpu_usage_seconds_total ${node} ${at}
node_memory_working_set_bytes 2.147483648e+09 ${at}
resource_scrape_error 0
`;
const T0 = 1_795_318_000_000;

describe('measurements', () => {
  it('[minicloud-19.1] reads the text of a node, and passes over what it does not know or what is broken', () => {
    const scrape = parseScrape(`${text(0.5, 100, T0)}garbage {{{\nnode_cpu_usage_seconds_total NaN\ncontainer_cpu_usage_seconds_total{container="a\\"b",namespace="x",pod="y"} 2\n`, T0 + 7);
    expect(scrape.node).toEqual({ cpuSeconds: 100, memoryBytes: 2 ** 31, at: T0 });
    expect([...(scrape.pods.get('default/p') ?? [])]).toEqual([['c', { cpuSeconds: 0.5, memoryBytes: 3_407_872, at: T0, startedAt: 1.795e12 }]]);
    expect(scrape.pods.get('default/q')).toEqual(new Map());
    expect(parseScrape('', 0)).toEqual({ pods: new Map() });
    expect(parseScrape('<html>\0\n401 Unauthorized', 0)).toEqual({ pods: new Map() });
  });

  it('[minicloud-19.2] the use of processors is what was used between two scrapes, or since a container has started', () => {
    const [before, after] = [parseScrape(text(0.5, 100, T0), 0), parseScrape(text(1.25, 103, T0 + 15_000), 0)];
    expect(nodeUsage(before, after)).toEqual({ at: T0 + 15_000, windowMs: 15_000, cpu: 0.2, memoryBytes: 2 ** 31 });
    expect(podUsage(before, after, 'default/p')?.get('c')).toEqual({ at: T0 + 15_000, windowMs: 15_000, cpu: 0.05, memoryBytes: 3_407_872 });
    const anew = parseScrape(text(0.4, 103, T0 + 15_000, (T0 + 13_000) / 1000), 0);
    expect(podUsage(before, anew, 'default/p')?.get('c')).toMatchObject({ windowMs: 2000, cpu: 0.2 });
    // Too close to each other, a machine that has started anew, a container that cannot be told yet.
    expect(nodeUsage(before, parseScrape(text(1, 101, T0 + 500), 0))).toBeUndefined();
    expect(nodeUsage(before, parseScrape(text(1, 1, T0 + 9000), 0))).toBeUndefined();
    for (const pod of ['default/q', 'default/none']) expect(podUsage(before, after, pod)).toBeUndefined();
  });

  it('[minicloud-19.3] objects have the quantities of metrics-server', () => {
    const usage = { at: T0, windowMs: 15_062, cpu: 0.1234567891, memoryBytes: 3_407_872 };
    const owner = { metadata: { name: 'p', namespace: 'default', labels: { a: 'b' }, uid: 'u', resourceVersion: '1', creationTimestamp: 'then' } };
    expect(podMetrics(owner, new Map([['c', usage]]))).toEqual({
      kind: 'PodMetrics', apiVersion: 'metrics.k8s.io/v1beta1', metadata: { name: 'p', namespace: 'default', labels: { a: 'b' }, creationTimestamp: '2026-11-22T03:26:40Z' },
      timestamp: '2026-11-22T03:26:40Z', window: '15.062s', containers: [{ name: 'c', usage: { cpu: '123456789n', memory: '3328Ki' } }],
    });
    expect(nodeMetrics({ metadata: { ...owner.metadata, name: 'n' } }, usage)).toMatchObject({ kind: 'NodeMetrics', usage: { cpu: '123456789n', memory: '3328Ki' } });
  });

  it('[minicloud-19.4] looks twice for the first one who asks, once for the next, and not for those in between', async () => {
    let now = T0;
    const read: number[] = [];
    const measurements = new NodeMeasurements({
      now: () => now,
      pause: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
      read: () => {
        read.push(now);
        return now === T0 + 500_000 ? Promise.reject(new Error('gone')) : Promise.resolve(text(1, now / 1000, now));
      },
    });
    const [one, two] = await Promise.all([measurements.pair('n'), measurements.pair('n')]);
    expect(one).toBe(two);
    const span = ({ before, after }: { before: Scrape; after: Scrape }): number => (after.node?.at ?? 0) - (before.node?.at ?? 0);
    expect([read.length, span(one)]).toEqual([2, 3500]);
    now += 4000;
    expect(await measurements.pair('n')).toBe(one);
    now += 60_000;
    expect([span(await measurements.pair('n')), read.length]).toEqual([64_000, 3]);
    // What is too old counts for nothing.
    now += 121_000;
    expect([span(await measurements.pair('n')), read.length]).toEqual([3500, 5]);
    now = T0 + 500_000;
    await expect(measurements.pair('n')).rejects.toThrow('gone');
    now += 1;
    await measurements.pair('n');
    expect(read).toHaveLength(8);
  });
});
