import type { LinuxResources } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { amounts, containerLimits, containerRequests, podLimits, podRequests, sandboxTotals, whole, type Amounts } from '../plan/pod-resources.js';
import { parseQuantity } from '../plan/quantity.js';
import { qosClass } from '../plan/qos.js';
import type { CgroupLimits } from './cgroup-files.js';
import { cpuQuota, cpuShares } from './cpu.js';
import { hugepageName, type LinuxMachine, type ResourceSettings } from './machine.js';
import { oomScoreAdj } from './oom-score.js';
import { CRITICAL_PRIORITY } from '../policy/standing.js';

export interface ResourcesInput {
  readonly machine: LinuxMachine;
  readonly settings: ResourceSettings;
}

const HUGEPAGES = 'hugepages-';
/** The kernel counts memory limits in pages. */
const PAGE = 4096;

/** The limits of a container in the kernel's terms. */
export function containerResources(pod: Pod, container: Container, input: ResourcesInput): LinuxResources {
  const { machine } = input;
  const limits = containerLimits(container);
  const base = baseResources(containerRequests(container), limits, input);
  const unified = { ...base.unified, ...swapUnified(pod, container, input), ...memoryQosUnified(container, input) };
  const hugepages = machine.controllers.has('hugetlb') ? { hugepageLimits: containerHugepages(limits, machine) } : {};
  return {
    ...base,
    oomScoreAdj: oomScoreAdj(pod, container, machine.memoryBytes),
    ...hugepages,
    // Version 1 counts memory and swap together: the same limit for both means no swap.
    ...(machine.cgroupVersion === 1 && machine.swapAccounting && base.memoryLimitBytes !== undefined
      ? { memorySwapLimitBytes: base.memoryLimitBytes }
      : {}),
    ...(Object.keys(unified).length === 0 ? {} : { unified }),
  };
}

/** What a runtime that makes a virtual machine per pod has to size it for. */
export function sandboxResources(pod: Pod, input: ResourcesInput): { readonly resources: LinuxResources; readonly overhead: LinuxResources } {
  const { requests, limits } = sandboxTotals(pod);
  const overhead = amounts(pod.spec.overhead);
  return { resources: baseResources(requests, limits, input), overhead: pod.spec.overhead ? baseResources(overhead, overhead, input) : {} };
}

/** The limits of the whole pod. A class of resource that some container may use without limit has none here either. */
export function podCgroupLimits(pod: Pod, pidsLimit: number, { machine, settings }: ResourcesInput): CgroupLimits {
  const qos = qosClass(pod);
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const limitsAll = (name: string): boolean =>
    [...(pod.spec.initContainers ?? []), ...pod.spec.containers].every((container) => (containerLimits(container).get(name) ?? 0n) > 0n);
  const memoryMin = settings.memoryQos && machine.cgroupVersion === 2 ? whole(requests.get('memory')) : 0n;
  return {
    cpuShares: cpuShares(qos === 'BestEffort' ? 0n : (requests.get('cpu') ?? 0n)),
    ...(limitsAll('cpu') && settings.cpuCfsQuota
      ? { cpuQuota: cpuQuota(limits.get('cpu') ?? 0n, settings.cpuCfsPeriod), cpuPeriod: settings.cpuCfsPeriod }
      : {}),
    ...(limitsAll('memory') ? { memoryBytes: whole(limits.get('memory')) } : {}),
    ...(pidsLimit > 0 ? { pids: BigInt(pidsLimit) } : {}),
    ...(memoryMin > 0n ? { memoryMinBytes: memoryMin } : {}),
    hugepages: hugepages(requests, machine),
  };
}

/** Huge pages by size in bytes: what is asked for, and zero for all other sizes of the machine. */
export function hugepages(asked: Amounts, machine: LinuxMachine): ReadonlyMap<bigint, bigint> {
  const wanted = new Map<bigint, bigint>(machine.hugepageSizes.map((size) => [size, 0n]));
  for (const [name, amount] of asked) {
    if (!name.startsWith(HUGEPAGES)) continue;
    const size = whole(parseQuantity(name.slice(HUGEPAGES.length)));
    if (wanted.has(size)) wanted.set(size, whole(amount));
  }
  return wanted;
}

function containerHugepages(limits: Amounts, machine: LinuxMachine): { pageSize: string; limitBytes: number }[] {
  return [...hugepages(limits, machine)].map(([size, bytes]) => ({ pageSize: hugepageName(size), limitBytes: Number(bytes) }));
}

function baseResources(requests: Amounts, limits: Amounts, { machine, settings }: ResourcesInput): LinuxResources {
  const memory = whole(limits.get('memory'));
  const cpu = machine.controllers.has('cpu');
  return {
    ...(cpu ? { cpuShares: cpuShares(requests.get('cpu') ?? 0n) } : {}),
    ...(cpu && settings.cpuCfsQuota ? { cpuQuota: cpuQuota(limits.get('cpu') ?? 0n, settings.cpuCfsPeriod), cpuPeriod: settings.cpuCfsPeriod } : {}),
    ...(memory > 0n && machine.controllers.has('memory') ? { memoryLimitBytes: Number(memory) } : {}),
    ...(machine.cgroupVersion === 2 && machine.controllers.has('memory') && !settings.singleProcessOomKill
      ? { unified: { 'memory.oom.group': '1' } }
      : {}),
  };
}

/** How much swap a container may use, for version 2. */
function swapUnified(pod: Pod, container: Container, { machine, settings }: ResourcesInput): Record<string, string> {
  if (machine.cgroupVersion !== 2 || !machine.swapAccounting) return {};
  const request = whole(containerRequests(container).get('memory'));
  const limit = whole(containerLimits(container).get('memory'));
  const mayUse =
    settings.limitedSwap && (pod.spec.priority ?? 0) < CRITICAL_PRIORITY && qosClass(pod) === 'Burstable' && request > 0n && request !== limit;
  const share = mayUse && request <= machine.memoryBytes ? (request * machine.swapBytes) / machine.memoryBytes : 0n;
  return { 'memory.swap.max': String(share) };
}

function memoryQosUnified(container: Container, { machine, settings }: ResourcesInput): Record<string, string> {
  if (!settings.memoryQos || machine.cgroupVersion !== 2) return {};
  const request = Number(whole(containerRequests(container).get('memory')));
  const limit = Number(whole(containerLimits(container).get('memory')));
  const ceiling = limit > 0 ? limit : Number(machine.allocatableMemoryBytes);
  const high = Math.floor((request + (ceiling - request) * settings.memoryThrottlingFactor) / PAGE) * PAGE;
  return {
    ...(request > 0 ? { 'memory.min': String(request) } : {}),
    ...(request !== limit && high > request ? { 'memory.high': String(high) } : {}),
  };
}
