import type { Pod } from '@edge/protocol';

/** From here on a pod belongs to the system itself: it is not evicted, and others give way for it. */
export const CRITICAL_PRIORITY = 2_000_000_000;

/** Annotations by which the parts of a node tell where a pod comes from. */
export const SourceAnnotations = {
  source: 'kubernetes.io/config.source',
  hash: 'kubernetes.io/config.hash',
  seen: 'kubernetes.io/config.seen',
  mirror: 'kubernetes.io/config.mirror',
} as const;

/** A pod from a file of this node. The annotation of pods from the API is taken away when they arrive, so it can be trusted. */
export function isStatic(pod: Pod): boolean {
  return pod.metadata.annotations?.[SourceAnnotations.source] === 'file';
}

/** The image of a static pod in the API. */
export function isMirror(pod: Pod): boolean {
  return pod.metadata.annotations?.[SourceAnnotations.mirror] !== undefined;
}

export function priorityOf(pod: Pod): number {
  return pod.spec.priority ?? 0;
}

export function isCritical(pod: Pod): boolean {
  return isStatic(pod) || isMirror(pod) || priorityOf(pod) >= CRITICAL_PRIORITY;
}
