import { basename } from 'node:path';
import type { CgroupLimits } from './cgroup-files.js';
import { cpuWeight } from './cpu.js';

const SYSTEMD = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
const MICROS_PER_SECOND = 1_000_000;
/** systemd keeps processor time per second in steps of 10 ms. */
const QUOTA_STEP = 10_000;
const NO_LIMIT = '18446744073709551615';

/** Arguments of `busctl` that start a slice with limits. Pure. */
export function startSlice(path: string, version: 1 | 2, limits: CgroupLimits): string[] {
  const name = basename(path);
  const parent = parentSlice(name);
  const properties = [
    ['Description', 's', `Control group ${name} of pods`],
    ...(parent === undefined ? [] : [['Wants', 'as', '1', parent]]),
    ['DefaultDependencies', 'b', 'false'],
    ...['CPUAccounting', 'MemoryAccounting', 'TasksAccounting'].map((accounting) => [accounting, 'b', 'true']),
    ...limitProperties(version, limits),
  ];
  return ['call', ...SYSTEMD, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', name, 'replace', String(properties.length), ...properties.flat(), '0'];
}

/** Arguments of `busctl` that change the limits of a slice until the next boot; undefined when there is nothing to change. */
export function changeSlice(path: string, version: 1 | 2, limits: CgroupLimits): string[] | undefined {
  const properties = limitProperties(version, limits);
  if (properties.length === 0) return undefined;
  return ['call', ...SYSTEMD, 'SetUnitProperties', 'sba(sv)', basename(path), 'true', String(properties.length), ...properties.flat()];
}

export function stopSlice(path: string): string[] {
  return ['call', ...SYSTEMD, 'StopUnit', 'ss', basename(path), 'replace'];
}

/** All slices on the way to one, the highest first: `/a.slice/a-b.slice` → `/a.slice`, `/a.slice/a-b.slice`. */
export function slicesOnTheWay(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

function parentSlice(name: string): string | undefined {
  const end = name.lastIndexOf('-');
  return end === -1 ? undefined : `${name.slice(0, end)}.slice`;
}

function limitProperties(version: 1 | 2, { cpuShares, cpuQuota, cpuPeriod, memoryBytes, memoryMinBytes, pids }: CgroupLimits): string[][] {
  const row = (name: string, value: string | number | bigint | undefined): string[][] => (value === undefined ? [] : [[name, 't', String(value)]]);
  return [
    ...(version === 1 ? row('CPUShares', cpuShares) : row('CPUWeight', cpuShares === undefined ? undefined : cpuWeight(cpuShares))),
    ...row('CPUQuotaPeriodUSec', cpuPeriod),
    ...row('CPUQuotaPerSecUSec', cpuQuota === undefined ? undefined : perSecond(cpuQuota, cpuPeriod ?? 100_000)),
    ...row(version === 1 ? 'MemoryLimit' : 'MemoryMax', memoryBytes),
    ...(version === 1 ? [] : row('MemoryMin', memoryMinBytes)),
    ...row('TasksMax', pids),
  ];
}

function perSecond(quota: number, period: number): string {
  if (quota === 0) return NO_LIMIT;
  return String(Math.ceil((quota * MICROS_PER_SECOND) / period / QUOTA_STEP) * QUOTA_STEP);
}
