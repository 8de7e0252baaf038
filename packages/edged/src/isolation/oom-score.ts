import type { Container, Pod } from '@edge/protocol';
import { isSidecar } from '../plan/containers.js';
import { containerRequests, whole } from '../plan/pod-resources.js';
import { qosClass } from '../plan/qos.js';

const ALMOST_NEVER = -997;
const FIRST = 1000;
/** Above what a guaranteed container that uses all memory can reach. */
const LOWEST_OF_BURSTABLE = FIRST + ALMOST_NEVER;

/**
 * Who is killed first when the machine is out of memory, -1000 (never) to 1000: the less of the machine a burstable
 * container has asked for, the sooner. A sidecar is not killed before the regular containers that need it.
 */
export function oomScoreAdj(pod: Pod, container: Container, machineMemory: bigint): number {
  if (pod.spec.priorityClassName === 'system-node-critical') return ALMOST_NEVER;
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return ALMOST_NEVER;
  if (qos === 'BestEffort') return FIRST;
  const scores = [score(container, machineMemory)];
  if (isSidecar(container)) scores.push(Math.max(...pod.spec.containers.map((regular) => score(regular, machineMemory))));
  return Math.min(Math.max(Math.min(...scores), LOWEST_OF_BURSTABLE), FIRST - 1);
}

function score(container: Container, machineMemory: bigint): number {
  return FIRST - Number((1000n * whole(containerRequests(container).get('memory'))) / machineMemory);
}
