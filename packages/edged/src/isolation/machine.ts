/** What the kernel of this machine can limit, and the sizes that limits are relative to. */
export interface LinuxMachine {
  readonly cgroupVersion: 1 | 2;
  /** Controllers in use: `cpu`, `memory`, `pids`, `hugetlb`, … A limit without its controller is left out. */
  readonly controllers: ReadonlySet<string>;
  readonly memoryBytes: bigint;
  readonly swapBytes: bigint;
  /** Whether swap is accounted for, so that it can be limited. */
  readonly swapAccounting: boolean;
  /** In bytes, all that the machine knows. */
  readonly hugepageSizes: readonly bigint[];
  /** Bytes that pods may take together; what a container without limit counts with. */
  readonly allocatableMemoryBytes: bigint;
}

/** How limits are set, from the configuration. */
export interface ResourceSettings {
  readonly cpuCfsQuota: boolean;
  /** Microseconds. */
  readonly cpuCfsPeriod: number;
  /** Out of memory ends one process instead of the whole container. Version 1 of cgroups can do nothing else. */
  readonly singleProcessOomKill: boolean;
  /** Burstable containers may use swap in proportion to their memory request. */
  readonly limitedSwap: boolean;
  /** Feature gate MemoryQoS: guaranteed memory and a throttle below the limit; version 2 only. */
  readonly memoryQos: boolean;
  /** Where the throttle is between request (0) and limit (1). */
  readonly memoryThrottlingFactor: number;
}

/** A size of huge pages as the kernel's files and the runtime write it: `2MB`, `1GB`, `64KB`. */
export function hugepageName(bytes: bigint): string {
  if (bytes % 2n ** 30n === 0n) return `${bytes / 2n ** 30n}GB`;
  return bytes % 2n ** 20n === 0n ? `${bytes / 2n ** 20n}MB` : `${bytes / 2n ** 10n}KB`;
}
