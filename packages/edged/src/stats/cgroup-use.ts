import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { columns } from './proc.js';

/** What the processes of one control group use. What the kernel does not tell is absent. */
export interface CgroupUse {
  readonly cpuNanoseconds?: number;
  readonly cpuUserNanoseconds?: number;
  readonly cpuSystemNanoseconds?: number;
  /** Enforcement periods of a processor limit, and in how many the limit was hit. */
  readonly periods?: number;
  readonly throttledPeriods?: number;
  readonly throttledNanoseconds?: number;
  /** Microseconds; absent without a limit. */
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly memoryUsageBytes?: number;
  readonly memoryWorkingSetBytes?: number;
  readonly memoryRssBytes?: number;
  readonly memoryCacheBytes?: number;
  readonly memoryMappedFileBytes?: number;
  readonly memorySwapBytes?: number;
  readonly memoryMostBytes?: number;
  /** Absent without a limit. */
  readonly memoryLimitBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
  readonly oomKills?: number;
  readonly processes?: number;
  readonly readBytes?: number;
  readonly writtenBytes?: number;
  readonly reads?: number;
  readonly writes?: number;
}

/** Above this a memory limit of cgroup v1 means none. */
const NO_LIMIT = 2 ** 62;

/** `brief`: processor and memory alone. */
export type Detail = 'brief' | 'full';

/**
 * Reads the files of a group. A group that is gone gives an empty answer. They are the kernel's memory and not on a disk, so
 * reading them at once costs a fraction of what handing each to a thread would.
 * @param root where cgroups are mounted, `/sys/fs/cgroup`
 * @param path of the group below its hierarchy, `/kubepods/pod…`
 */
export function readCgroupUse(root: string, version: 1 | 2, path: string, detail: Detail = 'full'): CgroupUse {
  return withoutAbsent(version === 2 ? readVersion2(join(root, path), detail) : readVersion1(root, path, detail));
}

type Loose = { -readonly [K in keyof CgroupUse]?: number | undefined };

function readVersion1(root: string, path: string, detail: Detail): Loose {
  const file = (controller: string, name: string): string | undefined => text(join(root, controller, path, name));
  const limit = number(file('memory', 'memory.limit_in_bytes'));
  const used = number(file('memory', 'memory.usage_in_bytes'));
  const stat = columns(file('memory', 'memory.stat') ?? '');
  const brief: Loose = {
    cpuNanoseconds: number(file('cpuacct', 'cpuacct.usage')),
    memoryUsageBytes: used,
    memoryWorkingSetBytes: used === undefined ? undefined : Math.max(0, used - (stat.get('total_inactive_file') ?? 0)),
    memoryRssBytes: stat.get('total_rss'),
    memoryCacheBytes: stat.get('total_cache'),
    memoryMappedFileBytes: stat.get('total_mapped_file'),
    memorySwapBytes: stat.get('total_swap'),
    memoryLimitBytes: limit !== undefined && limit < NO_LIMIT ? limit : undefined,
    pageFaults: stat.get('total_pgfault'),
    majorPageFaults: stat.get('total_pgmajfault'),
  };
  if (detail === 'brief') return brief;
  const cpu = columns(file('cpu', 'cpu.stat') ?? '');
  const quota = number(file('cpu', 'cpu.cfs_quota_us'));
  const limited = quota !== undefined && quota > 0;
  const ioBytes = file('blkio', 'blkio.throttle.io_service_bytes');
  const ioCount = file('blkio', 'blkio.throttle.io_serviced');
  return {
    ...brief,
    cpuUserNanoseconds: number(file('cpuacct', 'cpuacct.usage_user')),
    cpuSystemNanoseconds: number(file('cpuacct', 'cpuacct.usage_sys')),
    periods: cpu.get('nr_periods'),
    throttledPeriods: cpu.get('nr_throttled'),
    throttledNanoseconds: cpu.get('throttled_time'),
    cpuQuota: limited ? quota : undefined,
    cpuPeriod: limited ? number(file('cpu', 'cpu.cfs_period_us')) : undefined,
    memoryMostBytes: number(file('memory', 'memory.max_usage_in_bytes')),
    oomKills: columns(file('memory', 'memory.oom_control') ?? '').get('oom_kill'),
    processes: number(file('pids', 'pids.current')),
    readBytes: ioSum(ioBytes, 'Read'),
    writtenBytes: ioSum(ioBytes, 'Write'),
    reads: ioSum(ioCount, 'Read'),
    writes: ioSum(ioCount, 'Write'),
  };
}

function readVersion2(directory: string, detail: Detail): Loose {
  const file = (name: string): string | undefined => text(join(directory, name));
  const cpu = columns(file('cpu.stat') ?? '');
  const stat = columns(file('memory.stat') ?? '');
  const used = number(file('memory.current'));
  const nanoseconds = (name: string): number | undefined => times(cpu.get(name), 1000);
  const brief: Loose = {
    cpuNanoseconds: nanoseconds('usage_usec'),
    cpuUserNanoseconds: nanoseconds('user_usec'),
    cpuSystemNanoseconds: nanoseconds('system_usec'),
    periods: cpu.get('nr_periods'),
    throttledPeriods: cpu.get('nr_throttled'),
    throttledNanoseconds: nanoseconds('throttled_usec'),
    memoryUsageBytes: used,
    memoryWorkingSetBytes: used === undefined ? undefined : Math.max(0, used - (stat.get('inactive_file') ?? 0)),
    memoryRssBytes: stat.get('anon'),
    memoryCacheBytes: stat.get('file'),
    memoryMappedFileBytes: stat.get('file_mapped'),
    memorySwapBytes: number(file('memory.swap.current')),
    memoryLimitBytes: number(file('memory.max')),
    pageFaults: stat.get('pgfault'),
    majorPageFaults: stat.get('pgmajfault'),
  };
  if (detail === 'brief') return brief;
  const [quota = 'max', period] = (file('cpu.max') ?? 'max').trim().split(' ');
  const limited = quota !== 'max';
  const io = file('io.stat');
  return {
    ...brief,
    cpuQuota: limited ? number(quota) : undefined,
    cpuPeriod: limited ? number(period) : undefined,
    memoryMostBytes: number(file('memory.peak')),
    oomKills: columns(file('memory.events') ?? '').get('oom_kill'),
    processes: number(file('pids.current')),
    readBytes: keySum(io, 'rbytes'),
    writtenBytes: keySum(io, 'wbytes'),
    reads: keySum(io, 'rios'),
    writes: keySum(io, 'wios'),
  };
}

/** `8:0 Read 4096`, summed over the devices. */
function ioSum(content: string | undefined, operation: string): number | undefined {
  if (content === undefined) return undefined;
  return [...content.matchAll(new RegExp(`^\\d+:\\d+ ${operation} (\\d+)$`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** `8:0 rbytes=4096 …`, summed over the devices. */
function keySum(content: string | undefined, key: string): number | undefined {
  if (content === undefined) return undefined;
  return [...content.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((sum, [, value]) => sum + Number(value), 0);
}

function number(content: string | undefined): number | undefined {
  const parsed = content === undefined || content.trim() === '' ? Number.NaN : Number(content);
  return Number.isFinite(parsed) ? parsed : undefined;
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function withoutAbsent(loose: Loose): CgroupUse {
  return Object.fromEntries(Object.entries(loose).filter(([, value]) => value !== undefined)) as CgroupUse;
}
