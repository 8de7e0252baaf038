import type { StoredPod, StoredReplicaSet } from '../objects.js';

/** What a ReplicaSet needs done. */
export interface ReplicaSetPlan {
  /** How many pods are missing. */
  readonly create: number;
  /** Pods too many, the least useful first. */
  readonly remove: readonly StoredPod[];
  readonly status: NonNullable<StoredReplicaSet['status']>;
  /** When a ready pod will count as available, milliseconds from now. */
  readonly lookAgainMs: number | undefined;
}

/**
 * Compares a ReplicaSet with its pods.
 * @param pods all pods that it controls, ended ones too
 */
export function planReplicaSet(set: StoredReplicaSet, pods: readonly StoredPod[], now: number): ReplicaSetPlan {
  const active = pods.filter(isActive);
  const wanted = set.metadata.deletionTimestamp === undefined ? (set.spec.replicas ?? 1) : active.length;
  const waits = active.filter(isPodReady).map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now));
  const soon = waits.filter((wait) => wait > 0);
  const labels = Object.entries(set.spec.template.metadata?.labels ?? {});
  return {
    create: Math.max(0, wanted - active.length),
    remove: [...active].sort(byUse).slice(0, Math.max(0, active.length - wanted)),
    status: {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value)).length,
      readyReplicas: waits.length,
      availableReplicas: waits.length - soon.length,
      observedGeneration: set.metadata.generation ?? 0,
    },
    lookAgainMs: soon.length > 0 ? Math.min(...soon) : undefined,
  };
}

/** Neither ended nor on its way out. */
export function isActive(pod: StoredPod): boolean {
  return pod.metadata.deletionTimestamp === undefined && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

export function isPodReady(pod: StoredPod): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

function availableIn(pod: StoredPod, minReadySeconds: number, now: number): number {
  if (minReadySeconds === 0) return 0;
  const since = Date.parse(pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastTransitionTime ?? '');
  return Number.isNaN(since) ? minReadySeconds * 1000 : Math.max(0, since + minReadySeconds * 1000 - now);
}

/** Sorts what may go first to the front: without a node, not running, not ready, young. */
function byUse(a: StoredPod, b: StoredPod): number {
  return use(a) - use(b) || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1);
}

function use(pod: StoredPod): number {
  return (pod.spec.nodeName ? 4 : 0) + (pod.status?.phase === 'Running' ? 2 : 0) + (isPodReady(pod) ? 1 : 0);
}
