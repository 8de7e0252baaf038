import type { EphemeralContainer, Pod } from '@edge/protocol';
import { runsOf, type ActualPod } from './actual.js';
import type { PodStep } from './steps.js';

/**
 * Starts the ephemeral containers that have never run: they join a pod while it works, at any time, and are never
 * started again. Pure.
 */
export function planEphemeral(pod: Pod, actual: ActualPod): PodStep[] {
  return (pod.spec.ephemeralContainers ?? []).flatMap((container) => {
    const newest = runsOf(actual, container.name)[0];
    const reported = pod.status?.ephemeralContainerStatuses?.find(({ name }) => name === container.name);
    // The runtime may have lost it; the status has not.
    const hasRun = newest ? newest.state !== 'created' : reported?.state.running !== undefined || reported?.state.terminated !== undefined;
    if (hasRun) return [];
    const start: PodStep = { do: 'startContainer', container, init: false, ephemeral: target(container, actual), restartCount: 0, backoffSeconds: 0 };
    return newest ? [{ do: 'removeContainer' as const, containerId: newest.id }, start] : [start];
  });
}

function target({ targetContainerName: name }: EphemeralContainer, actual: ActualPod): { targetId?: string; missing?: string } {
  if (!name) return {};
  const run = runsOf(actual, name)[0];
  return run ? { targetId: run.id } : { missing: name };
}
