import { readFile } from 'node:fs/promises';
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

/**
 * Reads the files of a group. A group that is gone gives an empty answer.
 * @param root where cgroups are mounted, `/sys/fs/cgroup`
 * @param path of the group below its hierarchy, `/kubepods/pod…`
 */
export async function readCgroupUse(root: string, version: 1 | 2, path: string): Promise<CgroupUse> {
  return withoutAbsent(version === 2 ? await readVersion2(join(root, path)) : await readVersion1(root, path));
}

type Loose = { -readonly [K in keyof CgroupUse]: number | undefined };

async function readVersion1(root: string, path: string): Promise<Loose> {
  const file = (controller: string, name: string): Promise<string | undefined> => text(join(root, controller, path, name));
  const [usage, user, system, cpuStat, quota, period, memory, limit, most, memoryStat, oom, pids, ioBytes, ioCount] = await Promise.all([
    file('cpuacct', 'cpuacct.usage'),
    file('cpuacct', 'cpuacct.usage_user'),
    file('cpuacct', 'cpuacct.usage_sys'),
    file('cpu', 'cpu.stat'),
    file('cpu', 'cpu.cfs_quota_us'),
    file('cpu', 'cpu.cfs_period_us'),
    file('memory', 'memory.usage_in_bytes'),
    file('memory', 'memory.limit_in_bytes'),
    file('memory', 'memory.max_usage_in_bytes'),
    file('memory', 'memory.stat'),
    file('memory', 'memory.oom_control'),
    file('pids', 'pids.current'),
    file('blkio', 'blkio.throttle.io_service_bytes'),
    file('blkio', 'blkio.throttle.io_serviced'),
  ]);
  const cpu = columns(cpuStat ?? '');
  const stat = columns(memoryStat ?? '');
  const used = number(memory);
  const limited = Number(quota) > 0;
  return {
    cpuNanoseconds: number(usage),
    cpuUserNanoseconds: number(user),
    cpuSystemNanoseconds: number(system),
    periods: cpu.get('nr_periods'),
    throttledPeriods: cpu.get('nr_throttled'),
    throttledNanoseconds: cpu.get('throttled_time'),
    cpuQuota: limited ? number(quota) : undefined,
    cpuPeriod: limited ? number(period) : undefined,
    memoryUsageBytes: used,
    memoryWorkingSetBytes: used === undefined ? undefined : Math.max(0, used - (stat.get('total_inactive_file') ?? 0)),
    memoryRssBytes: stat.get('total_rss'),
    memoryCacheBytes: stat.get('total_cache'),
    memoryMappedFileBytes: stat.get('total_mapped_file'),
    memorySwapBytes: stat.get('total_swap'),
    memoryMostBytes: number(most),
    memoryLimitBytes: Number(limit) < NO_LIMIT ? number(limit) : undefined,
    pageFaults: stat.get('total_pgfault'),
    majorPageFaults: stat.get('total_pgmajfault'),
    oomKills: columns(oom ?? '').get('oom_kill'),
    processes: number(pids),
    readBytes: ioSum(ioBytes, 'Read'),
    writtenBytes: ioSum(ioBytes, 'Write'),
    reads: ioSum(ioCount, 'Read'),
    writes: ioSum(ioCount, 'Write'),
  };
}

async function readVersion2(directory: string): Promise<Loose> {
  const file = (name: string): Promise<string | undefined> => text(join(directory, name));
  const [cpuStat, cpuMax, memory, limit, peak, memoryStat, events, swap, pids, io] = await Promise.all(
    ['cpu.stat', 'cpu.max', 'memory.current', 'memory.max', 'memory.peak', 'memory.stat', 'memory.events', 'memory.swap.current', 'pids.current', 'io.stat'].map(file),
  );
  const cpu = columns(cpuStat ?? '');
  const stat = columns(memoryStat ?? '');
  const used = number(memory);
  const nanoseconds = (name: string): number | undefined => times(cpu.get(name), 1000);
  const [quota, period] = (cpuMax ?? '').trim().split(' ');
  const limited = quota !== undefined && quota !== '' && quota !== 'max';
  return {
    cpuNanoseconds: nanoseconds('usage_usec'),
    cpuUserNanoseconds: nanoseconds('user_usec'),
    cpuSystemNanoseconds: nanoseconds('system_usec'),
    periods: cpu.get('nr_periods'),
    throttledPeriods: cpu.get('nr_throttled'),
    throttledNanoseconds: nanoseconds('throttled_usec'),
    cpuQuota: limited ? number(quota) : undefined,
    cpuPeriod: limited ? number(period) : undefined,
    memoryUsageBytes: used,
    memoryWorkingSetBytes: used === undefined ? undefined : Math.max(0, used - (stat.get('inactive_file') ?? 0)),
    memoryRssBytes: stat.get('anon'),
    memoryCacheBytes: stat.get('file'),
    memoryMappedFileBytes: stat.get('file_mapped'),
    memorySwapBytes: number(swap),
    memoryMostBytes: number(peak),
    memoryLimitBytes: number(limit),
    pageFaults: stat.get('pgfault'),
    majorPageFaults: stat.get('pgmajfault'),
    oomKills: columns(events ?? '').get('oom_kill'),
    processes: number(pids),
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

async function text(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function withoutAbsent(loose: Loose): CgroupUse {
  return Object.fromEntries(Object.entries(loose).filter(([, value]) => value !== undefined)) as CgroupUse;
}
