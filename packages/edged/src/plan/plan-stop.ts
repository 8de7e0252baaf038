import type { RuntimeContainerStatus } from '@edge/core';
import type { Pod } from '@edge/protocol';
import type { ActualPod } from './actual.js';
import { sidecars } from './containers.js';
import { containerName } from './identity.js';
import { containerKill } from './kill.js';
import type { PodPlan, PodStep } from './steps.js';

/**
 * The steps that end a pod: regular containers side by side, after them the sidecars one by one from the last to the
 * first, all within the same time, then the sandboxes. Its dead containers stay because they tell how it ended.
 * @param pod undefined for a pod that nobody knows any more; the containers' records then say how long they may take
 * @param graceSeconds instead of what the pod says
 */
export function planStop(pod: Pod | undefined, actual: ActualPod, graceSeconds?: number): Pick<PodPlan, 'steps'> {
  const order = pod ? sidecars(pod).map(({ name }) => name).reverse() : [];
  const alive = actual.containers.filter(({ state }) => state === 'running' || state === 'unknown');
  // What has to end first comes first in the list.
  const rank = (run: RuntimeContainerStatus): number => order.indexOf(containerName(run));
  const why = pod ? 'the pod ends' : 'the pod is no longer assigned to this node';
  const kills = alive
    .sort((a, b) => rank(a) - rank(b))
    .map((run) => containerKill(pod, run, { why, graceSeconds, after: alive.filter((other) => rank(other) < rank(run)).map(({ id }) => id) }));
  const stops = actual.sandboxes.filter(({ state }) => state === 'ready').map(({ id }): PodStep => ({ do: 'stopSandbox', sandboxId: id }));
  return { steps: [...(kills.length === 0 ? [] : [{ do: 'killContainers' as const, containers: kills }]), ...stops] };
}

/** What is left in the runtime of a pod that has ended and that nobody asks about any more. */
export function planRemoval(actual: ActualPod): PodStep[] {
  const sandboxes = new Set(actual.sandboxes.map(({ id }) => id));
  return [
    ...actual.containers.filter(({ sandboxId }) => !sandboxes.has(sandboxId)).map(({ id }) => ({ do: 'removeContainer' as const, containerId: id })),
    ...actual.sandboxes.map(({ id }) => ({ do: 'removeSandbox' as const, sandboxId: id })),
  ];
}
