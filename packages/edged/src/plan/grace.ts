import type { RuntimeContainerStatus } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { ContainerAnnotations } from './identity.js';

/** No process gets less time than this to end by itself, whatever the pod says and its hooks have used up. */
export const MINIMUM_GRACE_SECONDS = 2;

/**
 * Seconds that a container gets to end, its preStop hook included. How a pod was deleted counts before all else.
 * @param probeSeconds what the probe says for which the container is ended
 */
export function podGrace(pod: Pod, probeSeconds?: number): number {
  return pod.metadata.deletionGracePeriodSeconds ?? probeSeconds ?? pod.spec.terminationGracePeriodSeconds ?? MINIMUM_GRACE_SECONDS;
}

/** The same for a container whose pod object is gone: what was written down when it was made. */
export function recordedGrace(container: Pick<RuntimeContainerStatus, 'annotations'>): number {
  const written = container.annotations[ContainerAnnotations.deletionGrace] ?? container.annotations[ContainerAnnotations.grace];
  const seconds = written === undefined || written === '' ? Number.NaN : Number(written);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : MINIMUM_GRACE_SECONDS;
}
