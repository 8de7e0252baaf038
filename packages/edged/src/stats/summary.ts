import type { FilesystemUse } from '@edge/core';
import { seconds } from '../plan/time.js';
import type { CgroupUse } from './cgroup-use.js';
import type { FilesystemState } from './disk-use.js';
import { mainInterface, type InterfaceUse } from './proc.js';
import type { ContainerSample, NodeSample, PodSample, Sample, SystemSample, VolumeSample } from './sample.js';

/** The answer of `/stats/summary`: kubelet's stats API v1alpha1. Members without a value are left out. */
export function summary(sample: Sample, onlyCpuAndMemory: boolean): object {
  const time = seconds(sample.at);
  return {
    node: nodeStats(sample.node, time, onlyCpuAndMemory),
    pods: sample.pods.map((pod) => podStats(pod, sample.node, time, onlyCpuAndMemory)),
  };
}

function nodeStats({ name, machine, cpuRate, fs, imageFs, agent, podsGroup }: NodeSample, time: string, only: boolean): object {
  const { memory, swap } = machine;
  return {
    nodeName: name,
    systemContainers: [systemStats('kubelet', agent, time), ...(podsGroup ? [systemStats('pods', podsGroup, time)] : [])],
    startTime: seconds(machine.bootedAt),
    cpu: { time, usageNanoCores: cpuRate, usageCoreNanoSeconds: machine.cpuNanoseconds },
    memory: {
      time,
      availableBytes: Math.max(0, memory.totalBytes - memory.workingSetBytes),
      usageBytes: memory.usageBytes,
      workingSetBytes: memory.workingSetBytes,
      rssBytes: memory.rssBytes,
      pageFaults: memory.pageFaults,
      majorPageFaults: memory.majorPageFaults,
    },
    swap: { time, swapAvailableBytes: swap.totalBytes - swap.usedBytes, swapUsageBytes: swap.usedBytes },
    ...(only
      ? {}
      : {
          ...networkStats(machine.interfaces, time),
          ...(fs ? { fs: fsStats(fs, { usedBytes: fs.usedBytes, inodesUsed: fs.inodes - fs.inodesFree }, time) } : {}),
          ...(imageFs ? { runtime: runtimeStats(imageFs, time) } : {}),
          rlimit: { time, maxpid: machine.processes.most, curproc: machine.processes.now },
        }),
  };
}

function runtimeStats(imageFs: NonNullable<NodeSample['imageFs']>, time: string): object {
  const own = fsStats(imageFs, { usedBytes: imageFs.ownBytes, inodesUsed: imageFs.ownInodes }, time);
  return { imageFs: own, containerFs: own };
}

function systemStats(name: string, { startedAt, use, cpuRate }: SystemSample, time: string): object {
  return { name, startTime: seconds(startedAt), ...cpuStats(use, cpuRate, time), ...memoryStats(use, time) };
}

function podStats(pod: PodSample, node: NodeSample, time: string, only: boolean): object {
  const { uid, name, namespace, startedAt, group, containers, volumes, interfaces } = pod;
  const use = group?.use ?? sum(containers);
  const rate = group?.cpuRate ?? containers.reduce((total, { cpuRate = 0 }) => total + cpuRate, 0);
  return {
    podRef: { name, namespace, uid },
    startTime: seconds(startedAt),
    containers: containers.map((container) => containerStats(container, node, time, only)),
    ...cpuStats(use, rate, time),
    ...memoryStats(use, time),
    swap: { time, swapUsageBytes: use.memorySwapBytes ?? 0 },
    ...(only
      ? {}
      : {
          ...(interfaces ? networkStats(interfaces, time) : {}),
          ...(volumes.length === 0 ? {} : { volume: volumes.map((volume) => ({ ...fsStats(volume.fs, volume.use, time), name: volume.name })) }),
          ...(node.fs ? { 'ephemeral-storage': fsStats(node.fs, ephemeralUse(containers, volumes), time) } : {}),
          ...(use.processes === undefined ? {} : { process_stats: { process_count: use.processes } }),
        }),
  };
}

function containerStats(container: ContainerSample, node: NodeSample, time: string, only: boolean): object {
  const { name, startedAt, use, cpuRate, writableLayer, logs } = container;
  return {
    name,
    startTime: seconds(startedAt),
    ...cpuStats(use, cpuRate, time),
    ...memoryStats(use, time),
    swap: { time, swapUsageBytes: use.memorySwapBytes ?? 0 },
    ...(only
      ? {}
      : {
          ...(writableLayer && node.imageFs ? { rootfs: fsStats(node.imageFs, writableLayer, time) } : {}),
          ...(logs && node.fs ? { logs: fsStats(node.fs, logs, time) } : {}),
        }),
  };
}

function cpuStats({ cpuNanoseconds }: CgroupUse, rate: number | undefined, time: string): object {
  if (cpuNanoseconds === undefined) return {};
  return { cpu: { time, ...(rate === undefined ? {} : { usageNanoCores: rate }), usageCoreNanoSeconds: cpuNanoseconds } };
}

function memoryStats(use: CgroupUse, time: string): object {
  const { memoryWorkingSetBytes: working, memoryLimitBytes: limit } = use;
  if (working === undefined) return {};
  return {
    memory: {
      time,
      ...(limit === undefined ? {} : { availableBytes: Math.max(0, limit - working) }),
      usageBytes: use.memoryUsageBytes,
      workingSetBytes: working,
      rssBytes: use.memoryRssBytes,
      pageFaults: use.pageFaults,
      majorPageFaults: use.majorPageFaults,
    },
  };
}

/** The file system's own figures, and what of it the thing takes. */
function fsStats(fs: FilesystemState, use: FilesystemUse | undefined, time: string): object {
  return {
    time,
    availableBytes: fs.availableBytes,
    capacityBytes: fs.capacityBytes,
    usedBytes: use?.usedBytes,
    inodesFree: fs.inodesFree,
    inodes: fs.inodes,
    inodesUsed: use?.inodesUsed,
  };
}

function networkStats(interfaces: readonly InterfaceUse[], time: string): object {
  const main = mainInterface(interfaces);
  return main ? { network: { time, ...interfaceStats(main), interfaces: interfaces.map(interfaceStats) } } : {};
}

function interfaceStats({ name, rxBytes, rxErrors, txBytes, txErrors }: InterfaceUse): object {
  return { name, rxBytes, rxErrors, txBytes, txErrors };
}

/** Local storage that the pod takes: logs, what containers wrote, and volumes on the node's disk. */
function ephemeralUse(containers: readonly ContainerSample[], volumes: readonly VolumeSample[]): FilesystemUse {
  const parts = [...containers.flatMap(({ logs, writableLayer }) => [logs, writableLayer]), ...volumes.filter(({ ephemeral }) => ephemeral).map(({ use }) => use)];
  return {
    usedBytes: parts.reduce((total, part) => total + (part?.usedBytes ?? 0), 0),
    inodesUsed: parts.reduce((total, part) => total + (part?.inodesUsed ?? 0), 0),
  };
}

const SUMMED = ['cpuNanoseconds', 'memoryUsageBytes', 'memoryWorkingSetBytes', 'memoryRssBytes', 'memorySwapBytes', 'pageFaults', 'majorPageFaults', 'processes'] as const;

/** For a pod whose own group is not known. */
export function sum(containers: readonly { readonly use: CgroupUse }[]): CgroupUse {
  const total: { -readonly [K in keyof CgroupUse]: number } = {};
  for (const name of SUMMED) {
    const known = containers.map(({ use }) => use[name]).filter((value) => value !== undefined);
    if (known.length > 0) total[name] = known.reduce((all, value) => all + value, 0);
  }
  return total;
}
