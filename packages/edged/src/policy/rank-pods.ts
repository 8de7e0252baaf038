import type { Pod } from '@edge/protocol';
import { formatBytes, parseQuantity } from '../plan/quantity.js';
import type { Observation } from './plan-eviction.js';
import { podRequests } from '../plan/pod-resources.js';
import { priorityOf } from './standing.js';
import { boundAmount, PRESSURE_OF, type EvictionSignal, type Threshold } from './thresholds.js';

/** What a pod uses of one thing: bytes, inodes or processes. */
export interface PodUse {
  readonly total: bigint;
  /** By container, where it can be told apart. */
  readonly containers: ReadonlyMap<string, bigint>;
}

export interface Candidate {
  readonly pod: Pod;
  /** Undefined when it could not be measured. */
  readonly use: PodUse | undefined;
}

/** The resource of a pod's requests that a signal is about, as evictions name it. */
export function resourceOf(signal: EvictionSignal): 'memory' | 'ephemeral-storage' | 'inodes' | 'pids' {
  if (PRESSURE_OF[signal] === 'MemoryPressure') return 'memory';
  if (signal === 'pid.available') return 'pids';
  return signal.endsWith('inodesFree') ? 'inodes' : 'ephemeral-storage';
}

/**
 * In which order pods are evicted: those that use more than they asked for, then those of lower priority, then those that
 * go furthest beyond what they asked for. Nobody asks for processes, so there it is priority and number. Pure.
 */
export function rankPods(signal: EvictionSignal, candidates: readonly Candidate[]): Candidate[] {
  const resource = resourceOf(signal);
  const weighed = candidates.map((candidate) => ({ candidate, beyond: beyondRequest(candidate, resource), priority: priorityOf(candidate.pod) }));
  const exceeds = ({ beyond }: { beyond: bigint | undefined }): boolean => resource !== 'pids' && (beyond === undefined || beyond > 0n);
  return weighed
    .sort(
      (a, b) =>
        Number(exceeds(b)) - Number(exceeds(a)) || a.priority - b.priority || descending(a.beyond, b.beyond) || byName(a.candidate.pod, b.candidate.pod),
    )
    .map(({ candidate }) => candidate);
}

/** One whose use nobody knows comes first, as upstream has it: it may be the culprit. */
function descending(a: bigint | undefined, b: bigint | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return a === b ? 0 : a > b ? -1 : 1;
}

function beyondRequest({ pod, use }: Candidate, resource: string): bigint | undefined {
  return use && use.total - (podRequests(pod).get(resource) ?? 0n) / 1000n;
}

function byName(a: Pod, b: Pod): number {
  const [one, other] = [a, b].map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return (one ?? '') < (other ?? '') ? -1 : 1;
}

/** What an evicted pod is told, in the form that people search for. */
export function evictionMessage({ signal, below }: Threshold, seen: Observation, { pod, use }: Candidate): string {
  const resource = resourceOf(signal);
  const shown = (amount: bigint): string => (resource === 'inodes' || resource === 'pids' ? String(amount) : formatBytes(amount));
  let text = `The node was low on resource: ${resource}. Threshold quantity: ${shown(boundAmount(below, seen.capacity))}, available: ${shown(seen.available)}. `;
  for (const { name, resources } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    const used = use?.containers.get(name);
    const request = resources?.requests?.[resource] ?? '0';
    if (used === undefined || used <= parseQuantity(request) / 1000n) continue;
    text += `Container ${name} was using ${shown(used)}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return text;
}
