import type { ContainerStats, FilesystemUse } from '@edge/core';
import type { CgroupUse } from './cgroup-use.js';
import type { FilesystemState } from './disk-use.js';
import type { InterfaceUse, MachineUse } from './proc.js';

/** What was measured in one go. Times are milliseconds since the epoch, sizes bytes. */
export interface Sample {
  readonly at: number;
  readonly node: NodeSample;
  readonly pods: readonly PodSample[];
}

export interface NodeSample {
  readonly name: string;
  readonly machine: MachineUse;
  /** Processor time per second, in nanoseconds. */
  readonly cpuRate: number;
  /** File system of the root directory. */
  readonly fs?: FilesystemState;
  /** File system of the images, and what images take of it. */
  readonly imageFs?: FilesystemState & { readonly ownBytes: number; readonly ownInodes: number };
  /** The agent itself. */
  readonly agent: SystemSample;
  /** All pods together, when their group is there. */
  readonly podsGroup?: SystemSample;
}

/** A part of the system that is no pod. */
export interface SystemSample {
  readonly startedAt: number;
  readonly cpuRate: number;
  readonly use: CgroupUse;
}

export interface PodSample {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxId: string;
  readonly startedAt: number;
  readonly group?: { readonly path: string; readonly use: CgroupUse; readonly cpuRate: number };
  /** Absent for pods in the network of the host. */
  readonly interfaces?: readonly InterfaceUse[];
  readonly containers: readonly ContainerSample[];
  readonly volumes: readonly VolumeSample[];
}

export interface ContainerSample {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly startedAt: number;
  /** Path of its control group; absent where it has none or it was not found. */
  readonly path?: string;
  readonly use: CgroupUse;
  readonly cpuRate?: number;
  readonly writableLayer?: FilesystemUse;
  readonly logs?: FilesystemUse;
}

export interface VolumeSample {
  readonly name: string;
  /** It counts as local storage that the pod takes from the node. */
  readonly ephemeral: boolean;
  readonly fs: FilesystemState;
  readonly use?: FilesystemUse;
}

/** What the runtime tells, in the terms of control groups. */
export function useOfStats(stats: ContainerStats): CgroupUse {
  const { cpuNanoseconds, memoryUsageBytes, memoryWorkingSetBytes, memoryRssBytes, memoryPageFaults, memoryMajorPageFaults } = stats;
  return {
    ...(cpuNanoseconds === undefined ? {} : { cpuNanoseconds }),
    ...(memoryUsageBytes === undefined ? {} : { memoryUsageBytes }),
    ...(memoryWorkingSetBytes === undefined ? {} : { memoryWorkingSetBytes }),
    ...(memoryRssBytes === undefined ? {} : { memoryRssBytes }),
    ...(memoryPageFaults === undefined ? {} : { pageFaults: memoryPageFaults }),
    ...(memoryMajorPageFaults === undefined ? {} : { majorPageFaults: memoryMajorPageFaults }),
  };
}
