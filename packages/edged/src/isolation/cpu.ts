const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;
/** Microseconds; the kernel refuses less. */
const LEAST_QUOTA = 1000;

/** Weight of milli-cores against others, as the kernel's `cpu.shares`. Zero is not the kernel's default of 1024 but next to nothing. */
export function cpuShares(milliCpu: bigint): number {
  return Math.min(Math.max(Number((milliCpu * 1024n) / 1000n), LEAST_SHARES), MOST_SHARES);
}

/** Microseconds of processor time per period; 0 for no limit. */
export function cpuQuota(milliCpu: bigint, periodMicros: number): number {
  return milliCpu === 0n ? 0 : Math.max(Number((milliCpu * BigInt(periodMicros)) / 1000n), LEAST_QUOTA);
}

/** `cpu.weight` of cgroup v2 for shares of version 1. */
export function cpuWeight(shares: number): number {
  return 1 + Math.floor(((shares - LEAST_SHARES) * 9999) / 262_142);
}
