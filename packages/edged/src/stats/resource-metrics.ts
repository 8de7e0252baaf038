import type { CgroupUse } from './cgroup-use.js';
import type { MetricFamily, MetricSample } from './prometheus.js';
import { sum } from './summary.js';
import type { Sample } from './sample.js';

const NANO = 1e9;

/** `/metrics/resource`: what metrics-server reads. Names and labels are upstream's. */
export function resourceMetrics({ at, node, pods }: Sample): MetricFamily[] {
  const containers = pods.flatMap((pod) => pod.containers.map((container) => ({ ...container, labels: { container: container.name, namespace: pod.namespace, pod: pod.name } })));
  const whole = pods.map((pod) => ({ use: pod.group?.use ?? sum(pod.containers), labels: { namespace: pod.namespace, pod: pod.name } }));
  const counter = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({ name, help, type: 'counter', samples });
  const gauges = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({ name, help, type: 'gauge', samples });
  const cpu = (items: typeof whole): MetricSample[] => values(items, at, ({ cpuNanoseconds }) => (cpuNanoseconds === undefined ? undefined : cpuNanoseconds / NANO));
  const memory = (items: typeof whole): MetricSample[] => values(items, at, ({ memoryWorkingSetBytes }) => memoryWorkingSetBytes);
  const swap = (items: typeof whole): MetricSample[] => values(items, at, ({ memorySwapBytes }) => memorySwapBytes);
  return [
    counter('container_cpu_usage_seconds_total', 'Processor time that the container has used, in core-seconds', cpu(containers)),
    gauges('container_memory_working_set_bytes', 'Memory of the container that cannot simply be taken away', memory(containers)),
    gauges('container_start_time_seconds', 'When the container was made, seconds since the epoch', containers.map(({ labels, startedAt }) => ({ labels, value: startedAt / 1000 }))),
    gauges('container_swap_usage_bytes', 'Swap that the container uses', swap(containers)),
    counter('node_cpu_usage_seconds_total', 'Processor time that the node has used, in core-seconds', [{ value: node.machine.cpuNanoseconds / NANO, at }]),
    gauges('node_memory_working_set_bytes', 'Memory of the node that cannot simply be taken away', [{ value: node.machine.memory.workingSetBytes, at }]),
    gauges('node_swap_usage_bytes', 'Swap that the node uses', [{ value: node.machine.swap.usedBytes, at }]),
    counter('pod_cpu_usage_seconds_total', 'Processor time that the pod has used, in core-seconds', cpu(whole)),
    gauges('pod_memory_working_set_bytes', 'Memory of the pod that cannot simply be taken away', memory(whole)),
    gauges('pod_swap_usage_bytes', 'Swap that the pod uses', swap(whole)),
    ...scrapeError(0),
  ];
}

/** What is left of the answer when nothing could be measured. */
export function scrapeError(value: 0 | 1): MetricFamily[] {
  return ['resource_scrape_error', 'scrape_error'].map((name) => ({ name, help: '1 when containers could not be measured, else 0', type: 'gauge', samples: [{ value }] }));
}

function values(
  items: readonly { readonly use: CgroupUse; readonly labels: Readonly<Record<string, string>> }[],
  at: number,
  of: (use: CgroupUse) => number | undefined,
): MetricSample[] {
  return items.flatMap(({ use, labels }) => {
    const value = of(use);
    return value === undefined ? [] : [{ labels, value, at }];
  });
}
