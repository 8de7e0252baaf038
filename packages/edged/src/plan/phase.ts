import type { ContainerStatus, Pod, PodPhase } from '@edge/protocol';
import { isSidecar, isTerminalPhase, restartPolicy } from './containers.js';

export interface PhaseInput {
  readonly pod: Pod;
  readonly inits: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  /** The phase that was reported last. */
  readonly previous: PodPhase | undefined;
  /** The pod was told to end and nothing of it works any more. */
  readonly ended: boolean;
}

/** The phase that follows from the container statuses. Never leaves `Succeeded` or `Failed`. Pure. */
export function podPhase(input: PhaseInput): PodPhase {
  const { previous, ended } = input;
  if (previous !== undefined && isTerminalPhase(previous)) return previous;
  const phase = fromContainers(input);
  // An ended pod must not stay in between: the cloud waits for its final phase.
  return ended && !isTerminalPhase(phase) ? 'Failed' : phase;
}

function fromContainers({ pod, inits, containers, ended }: PhaseInput): PodPhase {
  const policy = restartPolicy(pod);
  const specs = new Map((pod.spec.initContainers ?? []).map((container) => [container.name, container]));
  const sidecar = (status: ContainerStatus): boolean => isSidecar(specs.get(status.name) ?? { name: '' });
  const plain = inits.filter((status) => !sidecar(status));
  if (policy === 'Never' && plain.some(({ state }) => state.terminated !== undefined && state.terminated.exitCode !== 0)) return 'Failed';

  const anyStarted = containers.some(hasStarted);
  const initPending = plain.some((status) => end(status)?.exitCode !== 0) || inits.filter(sidecar).some((status) => !status.started);
  if (!anyStarted && initPending) return 'Pending';
  if (containers.some(({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined)) return 'Pending';
  // Sidecars do not keep a pod alive, but it is not over before they are.
  if ([...containers, ...inits.filter(sidecar)].some(({ state }) => state.running !== undefined)) return 'Running';

  const ends = containers.map(end);
  if (ends.length === 0 || ends.includes(undefined)) return 'Pending';
  const allSucceeded = ends.every((last) => last?.exitCode === 0);
  if (ended) return allSucceeded ? 'Succeeded' : 'Failed';
  if (policy === 'Always') return 'Running';
  if (allSucceeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

/** True when it runs or ran. */
export function hasStarted({ state, lastState }: ContainerStatus): boolean {
  return state.running !== undefined || state.terminated !== undefined || lastState.terminated !== undefined;
}

/** The end of the last run, of a container that does not run now. */
function end({ state, lastState }: ContainerStatus): { exitCode: number } | undefined {
  return state.terminated ?? (state.waiting ? lastState.terminated : undefined);
}
