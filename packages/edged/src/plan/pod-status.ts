import type { RuntimeContainerStatus } from '@edge/core';
import type { Container, ContainerStatus, Pod, PodStatus } from '@edge/protocol';
import { anythingRuns, runsOf, type ActualPod } from './actual.js';
import { podConditions, withConditions } from './conditions.js';
import { containerStatus, type ContainerStatusInput } from './container-status.js';
import { initRestartPolicy, isSidecar, isTerminalPhase, restartPolicy, restarts } from './containers.js';
import { limitMessages } from './message-limit.js';
import { hasStarted, podPhase } from './phase.js';
import { qosClass } from './qos.js';
import { sandboxServes, wantsNewSandbox } from './sandbox-change.js';
import type { Waiting } from './steps.js';
import { seconds } from './time.js';
import { noProbes, type ProbeView } from '../probes/view.js';
import type { PodVerdict } from './verdict.js';

export interface PodStatusInput {
  readonly pod: Pod;
  readonly actual: ActualPod;
  /** The status reported last, or what the API has. */
  readonly previous: PodStatus;
  /** What keeps containers from running, by name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** The pod was told to end. */
  readonly terminating: boolean;
  /** What the probes say; the pod has none unless given. */
  readonly probes?: ProbeView;
  /** The node's own decision to end it. */
  readonly verdict?: PodVerdict | undefined;
  /** Addresses of the node, the preferred one first. */
  readonly hostIPs: readonly string[];
  /** Scheme of container ids, `containerd`. */
  readonly runtime: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The status of a pod as its node reports it. Pure; the same input gives the same status. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, actual, previous, now } = input;
  const serves = sandboxServes(pod, actual);
  const { verdict } = input;
  // A pod whose sandbox broke and that gets no other one ends as if it was told to, also when some of it never started.
  const ends = input.terminating || verdict !== undefined || wantsNewSandbox(pod, actual) === 'finished';
  const ended = ends && !anythingRuns(actual) && !actual.sandboxes.some(({ state }) => state === 'ready');
  const inits = (pod.spec.initContainers ?? []).map((container) =>
    containerStatus(common(input, container, previous.initContainerStatuses, 'init')),
  );
  // Containers that never had a chance to start did not end in an unknown way.
  const begun = inits.length === 0 ? actual.sandboxes.length + actual.containers.length > 0 : (previous.containerStatuses ?? []).some(hasStarted);
  const containers = pod.spec.containers
    .map((container) => containerStatus(common(input, container, previous.containerStatuses, 'regular', ended && begun)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map((container) => {
    const one = common(input, container, previous.ephemeralContainerStatuses, 'ephemeral');
    // It is never started again, so one that is lost has ended.
    return containerStatus({ ...one, endUnseen: one.previous?.state.running !== undefined });
  });
  const before = previous.phase !== undefined && isTerminalPhase(previous.phase);
  const phase = verdict && ended && !before ? 'Failed' : podPhase({ pod, inits, containers, previous: previous.phase, ended });
  const conditions = podConditions({ pod, phase, inits, containers, sandboxServes: serves, previous: previous.conditions ?? [], now });
  // It was turned away: states of containers that never were would hide the reason from people.
  const turnedAway = isTerminalPhase(phase) && actual.containers.length === 0 && previous.containerStatuses === undefined;
  // The reason comes with the final phase: as long as something works the pod has not failed yet.
  const { message, reason } = verdict && ended && !before ? verdict : previous;
  const sharers = inits.length + containers.length + (pod.spec.ephemeralContainers ?? []).length;
  return {
    phase,
    conditions: verdict?.conditions ? withConditions(conditions, verdict.conditions, now) : conditions,
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...addresses(input),
    startTime: previous.startTime ?? seconds(now),
    ...(inits.length === 0 || turnedAway ? {} : { initContainerStatuses: limitMessages(inits, sharers) }),
    ...(turnedAway ? {} : { containerStatuses: limitMessages(containers, sharers) }),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: limitMessages(ephemeral, sharers) }),
    qosClass: previous.qosClass ?? qosClass(pod),
  };
}

function common(
  input: PodStatusInput,
  container: Container,
  previous: readonly ContainerStatus[] | undefined,
  kind: ContainerStatusInput['kind'],
  endUnseen = false,
): ContainerStatusInput {
  const runs = runsOf(input.actual, container.name);
  return {
    container,
    kind,
    runs,
    previous: previous?.find(({ name }) => name === container.name),
    waiting: isOver(input.pod, container, kind, runs[0]) ? undefined : input.waiting.get(container.name),
    afterInit: (input.pod.spec.initContainers ?? []).length > 0,
    runtime: input.runtime,
    probes: input.probes ?? noProbes,
    endUnseen,
  };
}

/** It ended and gets no other run: what was wrong with its start, if anything, is told by its end. */
function isOver(pod: Pod, container: Container, kind: ContainerStatusInput['kind'], newest: RuntimeContainerStatus | undefined): boolean {
  if (newest?.state !== 'exited' || isSidecar(container)) return false;
  if (kind === 'ephemeral') return true;
  return !restarts(kind === 'init' ? initRestartPolicy(pod) : restartPolicy(pod), newest.exitCode);
}

function addresses({ pod, actual, previous, hostIPs }: PodStatusInput): PodStatus {
  const host = hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) };
  const sandbox = actual.sandboxes[0];
  const own = pod.spec.hostNetwork === true ? (sandbox ? hostIPs : []) : (sandbox?.ips ?? []);
  // A stopped sandbox has lost its address; the status keeps it for those who read how the pod ended.
  const kept = previous.podIP === undefined ? {} : { podIP: previous.podIP, podIPs: previous.podIPs ?? [{ ip: previous.podIP }] };
  return { ...host, ...(own[0] === undefined ? kept : { podIP: own[0], podIPs: own.map((ip) => ({ ip })) }) };
}
