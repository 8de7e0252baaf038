import { cpuWeight } from './cpu.js';
import { hugepageName } from './machine.js';

/** Limits of a control group. What is absent stays as it is. */
export interface CgroupLimits {
  readonly cpuShares?: number;
  /** Microseconds of processor time per period; 0: no limit. */
  readonly cpuQuota?: number;
  /** Microseconds. */
  readonly cpuPeriod?: number;
  readonly memoryBytes?: bigint;
  /** Never taken away however scarce memory is; version 2 only. */
  readonly memoryMinBytes?: bigint;
  readonly pids?: bigint;
  /** Bytes by size of page in bytes. */
  readonly hugepages?: ReadonlyMap<bigint, bigint>;
}

/** A value for a file of the control group filesystem. */
export interface CgroupFile {
  readonly controller: 'cpu' | 'memory' | 'pids' | 'hugetlb';
  readonly file: string;
  readonly value: string;
}

/** More than any machine has; the kernel takes it for no limit. */
export const UNBOUNDED_HUGEPAGES: bigint = 1n << 62n;

/** The files that limits are written to. Pure. */
export function limitFiles(version: 1 | 2, limits: CgroupLimits): CgroupFile[] {
  return version === 1 ? filesOfVersion1(limits) : filesOfVersion2(limits);
}

function filesOfVersion1({ cpuShares, cpuQuota, cpuPeriod, memoryBytes, pids, hugepages = new Map() }: CgroupLimits): CgroupFile[] {
  return [
    ...row('cpu', 'cpu.shares', cpuShares),
    ...row('cpu', 'cpu.cfs_period_us', cpuPeriod),
    ...row('cpu', 'cpu.cfs_quota_us', cpuQuota === 0 ? -1 : cpuQuota),
    ...row('memory', 'memory.limit_in_bytes', memoryBytes),
    ...row('pids', 'pids.max', pids),
    ...[...hugepages].flatMap(([size, bytes]) => row('hugetlb', `hugetlb.${hugepageName(size)}.limit_in_bytes`, bytes)),
  ];
}

function filesOfVersion2(limits: CgroupLimits): CgroupFile[] {
  const { cpuShares, cpuQuota, cpuPeriod, memoryBytes, memoryMinBytes, pids, hugepages = new Map() } = limits;
  return [
    ...row('cpu', 'cpu.weight', cpuShares === undefined ? undefined : cpuWeight(cpuShares)),
    ...row('cpu', 'cpu.max', cpuQuota === undefined ? undefined : `${cpuQuota === 0 ? 'max' : cpuQuota} ${cpuPeriod ?? 100_000}`),
    ...row('memory', 'memory.max', memoryBytes),
    ...row('memory', 'memory.min', memoryMinBytes),
    ...row('pids', 'pids.max', pids),
    ...[...hugepages].flatMap(([size, bytes]) => row('hugetlb', `hugetlb.${hugepageName(size)}.max`, bytes)),
  ];
}

function row(controller: CgroupFile['controller'], file: string, value: string | number | bigint | undefined): CgroupFile[] {
  return value === undefined ? [] : [{ controller, file, value: String(value) }];
}
