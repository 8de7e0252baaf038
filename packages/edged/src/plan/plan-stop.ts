import type { Pod } from '@edge/protocol';
import type { ActualPod } from './actual.js';
import { sidecars } from './containers.js';
import { podGrace, recordedGrace } from './grace.js';
import { containerName } from './identity.js';
import type { ContainerKill, PodPlan, PodStep } from './steps.js';

/**
 * The steps that end a pod: regular containers side by side, then sidecars one by one from the last to the first, then
 * the sandboxes. Its dead containers stay because they tell how it ended.
 * @param pod undefined for a pod that nobody knows any more; the containers' records then say how long they may take
 * @param graceSeconds instead of what the pod says
 */
export function planStop(pod: Pod | undefined, actual: ActualPod, graceSeconds?: number): Pick<PodPlan, 'steps'> {
  const order = pod ? sidecars(pod).map(({ name }) => name).reverse() : [];
  const kills = actual.containers
    .filter(({ state }) => state === 'running' || state === 'unknown')
    .map((container) => ({
      containerId: container.id,
      name: containerName(container),
      graceSeconds: graceSeconds ?? (pod ? podGrace(pod) : recordedGrace(container)),
      why: pod ? 'the pod ends' : 'the pod is no longer assigned to this node',
    }));
  const steps: PodStep[] = [];
  add(steps, kills.filter(({ name }) => !order.includes(name)));
  for (const sidecar of order) add(steps, kills.filter(({ name }) => name === sidecar));
  for (const sandbox of actual.sandboxes) if (sandbox.state === 'ready') steps.push({ do: 'stopSandbox', sandboxId: sandbox.id });
  return { steps };
}

/** What is left in the runtime of a pod that has ended and that nobody asks about any more. */
export function planRemoval(actual: ActualPod): PodStep[] {
  const sandboxes = new Set(actual.sandboxes.map(({ id }) => id));
  return [
    ...actual.containers.filter(({ sandboxId }) => !sandboxes.has(sandboxId)).map(({ id }) => ({ do: 'removeContainer' as const, containerId: id })),
    ...actual.sandboxes.map(({ id }) => ({ do: 'removeSandbox' as const, sandboxId: id })),
  ];
}

function add(steps: PodStep[], containers: readonly ContainerKill[]): void {
  if (containers.length > 0) steps.push({ do: 'killContainers', containers });
}
