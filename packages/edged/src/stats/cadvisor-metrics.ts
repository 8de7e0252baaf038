import { cpus } from 'node:os';
import type { CgroupUse } from './cgroup-use.js';
import type { Labels, MetricFamily, MetricSample } from './prometheus.js';
import type { InterfaceUse } from './proc.js';
import type { Sample } from './sample.js';

const NANO = 1e9;

/** A control group with the labels that cAdvisor gives it. */
interface Group {
  readonly labels: Labels;
  readonly use: CgroupUse;
  readonly startedAt: number;
  readonly writableBytes?: number;
}

interface Row {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (group: Group) => number | undefined;
  readonly more?: Labels;
}

const seconds = (nanoseconds: number | undefined): number | undefined => (nanoseconds === undefined ? undefined : nanoseconds / NANO);
const counter = (name: string, help: string, value: Row['value'], more?: Labels): Row => ({ name, type: 'counter', help, value, ...(more ? { more } : {}) });
const gauge = (name: string, help: string, value: Row['value']): Row => ({ name, type: 'gauge', help, value });

/** Rows of one name stand together. */
const ROWS: readonly Row[] = [
  counter('container_cpu_usage_seconds_total', 'Processor time used', ({ use }) => seconds(use.cpuNanoseconds), { cpu: 'total' }),
  counter('container_cpu_user_seconds_total', 'Processor time used in user mode', ({ use }) => seconds(use.cpuUserNanoseconds)),
  counter('container_cpu_system_seconds_total', 'Processor time used in the kernel', ({ use }) => seconds(use.cpuSystemNanoseconds)),
  counter('container_cpu_cfs_periods_total', 'Periods in which a processor limit was enforced', ({ use }) => (use.cpuQuota === undefined ? undefined : use.periods)),
  counter('container_cpu_cfs_throttled_periods_total', 'Periods in which the limit was hit', ({ use }) => (use.cpuQuota === undefined ? undefined : use.throttledPeriods)),
  counter('container_cpu_cfs_throttled_seconds_total', 'Time spent waiting because of the limit', ({ use }) =>
    use.cpuQuota === undefined ? undefined : seconds(use.throttledNanoseconds),
  ),
  gauge('container_spec_cpu_quota', 'Microseconds of processor time allowed in a period', ({ use }) => use.cpuQuota),
  gauge('container_spec_cpu_period', 'Length of a period in microseconds', ({ use }) => use.cpuPeriod),
  gauge('container_memory_usage_bytes', 'Memory in use, caches included', ({ use }) => use.memoryUsageBytes),
  gauge('container_memory_max_usage_bytes', 'Most memory that was ever in use', ({ use }) => use.memoryMostBytes),
  gauge('container_memory_working_set_bytes', 'Memory that cannot simply be taken away', ({ use }) => use.memoryWorkingSetBytes),
  gauge('container_memory_rss', 'Memory without a file behind it', ({ use }) => use.memoryRssBytes),
  gauge('container_memory_cache', 'Memory with a file behind it', ({ use }) => use.memoryCacheBytes),
  gauge('container_memory_mapped_file', 'Memory of mapped files', ({ use }) => use.memoryMappedFileBytes),
  gauge('container_memory_swap', 'Swap in use', ({ use }) => use.memorySwapBytes),
  counter('container_memory_failures_total', 'Page faults', ({ use }) => use.pageFaults, { failure_type: 'pgfault', scope: 'hierarchy' }),
  counter('container_memory_failures_total', 'Page faults', ({ use }) => use.majorPageFaults, { failure_type: 'pgmajfault', scope: 'hierarchy' }),
  // cAdvisor writes 0 for no limit.
  gauge('container_spec_memory_limit_bytes', 'Limit of memory, 0 for none', ({ use }) => (use.memoryUsageBytes === undefined ? undefined : (use.memoryLimitBytes ?? 0))),
  counter('container_oom_events_total', 'Processes ended because memory ran out', ({ use }) => use.oomKills),
  gauge('container_processes', 'Processes', ({ use }) => use.processes),
  counter('container_fs_reads_bytes_total', 'Bytes read from disks', ({ use }) => use.readBytes, { device: '' }),
  counter('container_fs_reads_total', 'Reads from disks', ({ use }) => use.reads, { device: '' }),
  counter('container_fs_writes_bytes_total', 'Bytes written to disks', ({ use }) => use.writtenBytes, { device: '' }),
  counter('container_fs_writes_total', 'Writes to disks', ({ use }) => use.writes, { device: '' }),
  gauge('container_fs_usage_bytes', 'Bytes of the writable layer', ({ writableBytes }) => writableBytes),
  gauge('container_start_time_seconds', 'When it was made, seconds since the epoch', ({ startedAt }) => startedAt / 1000),
];

const TRAFFIC: readonly (readonly [string, string, keyof InterfaceUse])[] = [
  ['container_network_receive_bytes_total', 'Bytes received', 'rxBytes'],
  ['container_network_receive_packets_total', 'Packets received', 'rxPackets'],
  ['container_network_receive_packets_dropped_total', 'Received packets that were dropped', 'rxDropped'],
  ['container_network_receive_errors_total', 'Errors while receiving', 'rxErrors'],
  ['container_network_transmit_bytes_total', 'Bytes sent', 'txBytes'],
  ['container_network_transmit_packets_total', 'Packets sent', 'txPackets'],
  ['container_network_transmit_packets_dropped_total', 'Packets to be sent that were dropped', 'txDropped'],
  ['container_network_transmit_errors_total', 'Errors while sending', 'txErrors'],
];

/** `/metrics/cadvisor`: containers, pods and the node under cAdvisor's names and labels, as dashboards for Kubernetes use them. */
export function cadvisorMetrics(sample: Sample): MetricFamily[] {
  const { at, node } = sample;
  const groups = groupsOf(sample);
  const families = new Map<string, MetricFamily & { samples: MetricSample[] }>();
  const add = (name: string, type: Row['type'], help: string, one: MetricSample): void => {
    const family = families.get(name) ?? { name, type, help, samples: [] };
    family.samples.push(one);
    families.set(name, family);
  };
  for (const { name, type, help, value, more } of ROWS) {
    for (const group of groups) {
      const measured = value(group);
      if (measured !== undefined) add(name, type, help, { labels: { ...group.labels, ...more }, value: measured, at });
    }
  }
  for (const { labels, interfaces } of networksOf(sample)) {
    for (const one of interfaces) {
      for (const [name, help, member] of TRAFFIC) add(name, 'counter', help, { labels: { ...labels, interface: one.name }, value: one[member] as number, at });
    }
  }
  for (const { labels } of groups) add('container_last_seen', 'gauge', 'When it was last seen, seconds since the epoch', { labels, value: Math.round(at / 1000) });
  add('machine_cpu_cores', 'gauge', 'Processors of the machine', { value: cpus().length });
  add('machine_memory_bytes', 'gauge', 'Memory of the machine', { value: node.machine.memory.totalBytes });
  add('machine_swap_bytes', 'gauge', 'Swap of the machine', { value: node.machine.swap.totalBytes });
  add('container_scrape_error', 'gauge', '1 when containers could not be measured, else 0', { value: 0 });
  return [...families.values()];
}

function groupsOf({ node, pods }: Sample): Group[] {
  const { machine } = node;
  const whole: CgroupUse = {
    cpuNanoseconds: machine.cpuNanoseconds,
    memoryUsageBytes: machine.memory.usageBytes,
    memoryWorkingSetBytes: machine.memory.workingSetBytes,
    memoryRssBytes: machine.memory.rssBytes,
    memoryCacheBytes: machine.memory.cacheBytes,
    memorySwapBytes: machine.swap.usedBytes,
    memoryLimitBytes: machine.memory.totalBytes,
    pageFaults: machine.memory.pageFaults,
    majorPageFaults: machine.memory.majorPageFaults,
    processes: machine.processes.now,
  };
  return [
    { labels: labelsOf({ id: '/' }), use: whole, startedAt: machine.bootedAt },
    ...pods.flatMap((pod): Group[] => {
      const { name, namespace, group, startedAt, containers } = pod;
      return [
        ...(group ? [{ labels: labelsOf({ id: group.path, pod: name, namespace }), use: group.use, startedAt }] : []),
        ...containers.map((container) => ({
          labels: labelsOf({ id: container.path ?? `/${container.id}`, name: container.id, image: container.image, container: container.name, pod: name, namespace }),
          use: container.use,
          startedAt: container.startedAt,
          ...(container.writableLayer ? { writableBytes: container.writableLayer.usedBytes } : {}),
        })),
      ];
    }),
  ];
}

/** Traffic belongs to the sandbox, which holds the pod's network. */
function networksOf({ node, pods }: Sample): { labels: Labels; interfaces: readonly InterfaceUse[] }[] {
  return [
    { labels: labelsOf({ id: '/' }), interfaces: node.machine.interfaces },
    ...pods.map(({ name, namespace, sandboxId, group, interfaces = [] }) => ({
      labels: labelsOf({ id: group ? `${group.path}/${sandboxId}` : `/${sandboxId}`, name: sandboxId, pod: name, namespace }),
      interfaces,
    })),
  ];
}

/** All series of a name have the same labels, empty where they do not apply. */
function labelsOf(known: { id: string; name?: string; image?: string; container?: string; pod?: string; namespace?: string }): Labels {
  const { id, name = '', image = '', container = '', pod = '', namespace = '' } = known;
  return { container, id, image, name, namespace, pod };
}
