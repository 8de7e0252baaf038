import type { RuntimeContainerStatus } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { ContainerAnnotations } from './identity.js';

/** No process gets less time than this to end by itself. */
export const MINIMUM_GRACE_SECONDS = 2;

/** Seconds that the pod's containers get to end, as the pod object says. */
export function podGrace(pod: Pod): number {
  return Math.max(MINIMUM_GRACE_SECONDS, pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? MINIMUM_GRACE_SECONDS);
}

/** The same for a container whose pod object is gone: what was written down when it was made. */
export function recordedGrace(container: Pick<RuntimeContainerStatus, 'annotations'>): number {
  const written = container.annotations[ContainerAnnotations.deletionGrace] ?? container.annotations[ContainerAnnotations.grace];
  const seconds = written === undefined || written === '' ? Number.NaN : Number(written);
  return Number.isFinite(seconds) ? Math.max(MINIMUM_GRACE_SECONDS, seconds) : MINIMUM_GRACE_SECONDS;
}
