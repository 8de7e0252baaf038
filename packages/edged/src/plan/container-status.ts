import type { RuntimeContainerStatus } from '@edge/core';
import type { Container, ContainerState, ContainerStateTerminated, ContainerStatus } from '@edge/protocol';
import type { ProbeView } from '../probes/view.js';
import { isSidecar } from './containers.js';
import { restartCountOf } from './identity.js';
import type { Waiting } from './steps.js';
import { seconds } from './time.js';

/** Exit code for a run whose end nobody saw. */
export const UNSEEN_EXIT_CODE = 137;

export interface ContainerStatusInput {
  readonly container: Container;
  /** All runs in the runtime, newest first. */
  readonly runs: readonly RuntimeContainerStatus[];
  /** What was reported before. */
  readonly previous: ContainerStatus | undefined;
  /** What keeps it from running, if anything. */
  readonly waiting: Waiting | undefined;
  /** True when the pod has init containers. */
  readonly afterInit: boolean;
  /** Scheme of container ids, `containerd`. */
  readonly runtime: string;
  /** The pod has ended and this container can no longer start: without an end of its own it gets one. */
  readonly endUnseen: boolean;
  /** One that has to come to an end is ready when it has succeeded, an ephemeral one never. */
  readonly kind: 'init' | 'regular' | 'ephemeral';
  readonly probes: ProbeView;
}

/** The status of one container. Pure. */
export function containerStatus(input: ContainerStatusInput): ContainerStatus {
  const { container, runs, previous } = input;
  const newest = runs[0];
  const state = stateOf(input, newest);
  const mounts = volumeMounts(container, newest);
  const lost = newest === undefined && previous?.containerID !== undefined;
  return {
    name: container.name,
    state,
    lastState: lastState(input, newest),
    ready: isReady(input, state, newest),
    ...(input.kind === 'ephemeral' ? {} : { started: newest !== undefined && input.probes.started(newest) }),
    restartCount: newest ? restartCountOf(newest) : (previous?.restartCount ?? 0) + (lost && !input.endUnseen ? 1 : 0),
    image: newest?.image || container.image || '',
    imageID: newest?.imageRef ?? '',
    ...(newest ? { containerID: containerId(input.runtime, newest) } : {}),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
  };
}

function isReady({ container, kind, probes }: ContainerStatusInput, state: ContainerState, newest: RuntimeContainerStatus | undefined): boolean {
  if (kind === 'ephemeral') return false;
  if (kind === 'init' && !isSidecar(container)) return state.terminated?.exitCode === 0;
  return newest !== undefined && probes.ready(newest);
}

function stateOf(input: ContainerStatusInput, newest: RuntimeContainerStatus | undefined): ContainerState {
  const { previous, waiting, runtime } = input;
  if (newest?.state === 'running') return { running: { startedAt: seconds(newest.startedAt || newest.createdAt) } };
  if (newest?.state === 'exited' && waiting === undefined) return { terminated: terminated(newest, runtime) };
  if (newest === undefined && previous?.state.terminated !== undefined && waiting === undefined) return { terminated: previous.state.terminated };
  if (input.endUnseen && newest?.state !== 'exited') return { terminated: unseenEnd() };
  if (waiting) return { waiting: { reason: waiting.reason, ...(waiting.message === undefined ? {} : { message: waiting.message }) } };
  return { waiting: { reason: input.afterInit ? 'PodInitializing' : 'ContainerCreating' } };
}

function lastState(input: ContainerStatusInput, newest: RuntimeContainerStatus | undefined): ContainerState {
  const { previous, runs, runtime, waiting } = input;
  if (newest?.state === 'exited' && waiting !== undefined) return { terminated: terminated(newest, runtime) };
  const earlier = runs.slice(1).find((run) => run.state === 'exited');
  if (earlier) return { terminated: terminated(earlier, runtime) };
  if (newest === undefined && previous?.state.running !== undefined && !input.endUnseen) return { terminated: unseenEnd() };
  // The runtime may have removed it, the cloud has not forgotten.
  return newest === undefined || restartCountOf(newest) > 0 ? (previous?.lastState ?? {}) : {};
}

function terminated(run: RuntimeContainerStatus, runtime: string): ContainerStateTerminated {
  return {
    exitCode: run.exitCode,
    reason: run.reason || (run.exitCode === 0 ? 'Completed' : 'Error'),
    ...(run.message === '' ? {} : { message: run.message }),
    startedAt: run.startedAt ? seconds(run.startedAt) : null,
    finishedAt: run.finishedAt ? seconds(run.finishedAt) : null,
    containerID: containerId(runtime, run),
  };
}

function unseenEnd(): ContainerStateTerminated {
  return {
    exitCode: UNSEEN_EXIT_CODE,
    reason: 'ContainerStatusUnknown',
    message: 'how it ended is not known: the runtime no longer had the container',
    startedAt: null,
    finishedAt: null,
  };
}

function containerId(runtime: string, run: RuntimeContainerStatus): string {
  return `${runtime}://${run.id}`;
}

function volumeMounts(container: Container, newest: RuntimeContainerStatus | undefined): NonNullable<ContainerStatus['volumeMounts']> {
  const isRecursive = (path: string): boolean => newest?.mounts.some(({ containerPath, recursiveReadOnly }) => containerPath === path && recursiveReadOnly === true) ?? false;
  return (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly ? { readOnly, recursiveReadOnly: isRecursive(mountPath) ? 'Enabled' : 'Disabled' } : {}),
  }));
}
