import type { Pod } from '@edge/protocol';
import { runsOf, type ActualPod } from './actual.js';
import { plainInits, restartPolicy } from './containers.js';

/**
 * What becomes of the pod's sandbox. `keep`: it serves. `create`: there is none that serves, so a new one is made and
 * the init containers run again. `finished`: there is none that serves and none is needed because the pod has done its work.
 */
export function wantsNewSandbox(pod: Pod, actual: ActualPod): 'keep' | 'create' | 'finished' {
  if (sandboxServes(pod, actual)) return 'keep';
  const policy = restartPolicy(pod);
  if (policy === 'Never' && actual.sandboxes.length > 0 && hasDoneWork(pod, actual)) return 'finished';
  if (policy === 'OnFailure' && allSucceeded(pod, actual)) return 'finished';
  return 'create';
}

/**
 * True when another sandbox would repeat what must not be repeated: a regular container has run, or an init container
 * has failed. Init containers that succeeded and sidecars may run again: a pod that only got so far has not begun.
 */
function hasDoneWork(pod: Pod, actual: ActualPod): boolean {
  const ran = pod.spec.containers.some(({ name }) => runsOf(actual, name).some(({ state }) => state !== 'created'));
  return ran || plainInits(pod).some(({ name }) => runsOf(actual, name).some(({ state, exitCode }) => state === 'exited' && exitCode !== 0));
}

/** True when there is exactly one working sandbox, it is the newest and it fits the spec. */
export function sandboxServes(pod: Pod, actual: ActualPod): boolean {
  const ready = actual.sandboxes.filter(({ state }) => state === 'ready');
  const newest = actual.sandboxes[0];
  if (ready.length !== 1 || newest === undefined || newest.state !== 'ready') return false;
  const hostNetwork = pod.spec.hostNetwork === true;
  if (newest.hostNetwork !== hostNetwork) return false;
  return hostNetwork || newest.ips.length > 0;
}

function allSucceeded(pod: Pod, actual: ActualPod): boolean {
  const succeeded = (name: string): boolean => runsOf(actual, name).some((run) => run.state === 'exited' && run.exitCode === 0);
  const initialized = plainInits(pod).every(({ name }) => succeeded(name)) || pod.spec.containers.some(({ name }) => runsOf(actual, name).length > 0);
  return initialized && pod.spec.containers.every(({ name }) => succeeded(name));
}
