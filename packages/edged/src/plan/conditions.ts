import type { ContainerStatus, Pod, PodCondition, PodPhase } from '@edge/protocol';
import { isSidecar, isTerminalPhase, sidecars } from './containers.js';
import { hasStarted } from './phase.js';
import { seconds } from './time.js';

export interface ConditionsInput {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly inits: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  /** The sandbox serves: containers may start in it. */
  readonly sandboxServes: boolean;
  readonly previous: readonly PodCondition[];
  /** Milliseconds since the epoch, the time of what changes now. */
  readonly now: number;
}

/** Conditions of pods that are the node's to say. All others, readiness gates among them, belong to somebody else. */
export const NODE_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled', 'DisruptionTarget', 'HeldUpgrade',
]);

type Finding = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** The five conditions that the node reports, in this order, then those of others. Times move only when a status changes. */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const ready = containersReady(input);
  const findings: Finding[] = [
    { type: 'PodReadyToStartContainers', status: input.sandboxServes ? 'True' : 'False' },
    initialized(input),
    podReady(input, ready),
    ready,
    { type: 'PodScheduled', status: 'True' },
  ];
  const own = new Set(findings.map(({ type }) => type));
  return [...findings.map((finding) => dated(finding, input)), ...input.previous.filter(({ type }) => !own.has(type))];
}

/** The same with further conditions of the node, each of its type once. */
export function withConditions(conditions: readonly PodCondition[], more: readonly Finding[], now: number): PodCondition[] {
  const types = new Set(more.map(({ type }) => type));
  return [...conditions.filter(({ type }) => !types.has(type)), ...more.map((finding) => dated(finding, { previous: conditions, now }))];
}

function dated(finding: Finding, { previous, now }: Pick<ConditionsInput, 'previous' | 'now'>): PodCondition {
  const before = previous.find(({ type }) => type === finding.type);
  const since = before?.status === finding.status ? before.lastTransitionTime : undefined;
  return { ...finding, lastProbeTime: null, lastTransitionTime: since ?? seconds(now) };
}

function initialized({ pod, phase, inits, containers }: ConditionsInput): Finding {
  const type = 'Initialized';
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  if (containers.some(hasStarted)) return { type, status: 'True' };
  const incomplete = (pod.spec.initContainers ?? []).filter((container) => {
    const status = inits.find(({ name }) => name === container.name);
    return isSidecar(container) ? status?.started !== true : status?.state.terminated?.exitCode !== 0;
  });
  if (incomplete.length === 0) return { type, status: 'True' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  return { type, status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${names(incomplete)}]` };
}

function containersReady(input: ConditionsInput): Finding {
  const { pod, phase } = input;
  const type = 'ContainersReady';
  if (isTerminalPhase(phase)) return { type, status: 'False', reason: endReason(phase) };
  const statuses = [...input.inits, ...input.containers];
  const unready = [...sidecars(pod), ...pod.spec.containers].filter(({ name }) => statuses.find((status) => status.name === name)?.ready !== true);
  if (unready.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${names(unready)}]` };
}

function podReady({ pod, phase, previous }: ConditionsInput, containers: Finding): Finding {
  const type = 'Ready';
  if (isTerminalPhase(phase) || containers.status !== 'True') return { ...containers, type };
  const shut = (pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) => previous.find((condition) => condition.type === conditionType)?.status !== 'True',
  );
  if (shut.length === 0) return { type, status: 'True' };
  const message = `readiness gates that are not true: [${shut.map(({ conditionType }) => conditionType).join(' ')}]`;
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message };
}

function endReason(phase: PodPhase): string {
  return phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
}

function names(containers: readonly { name: string }[]): string {
  return containers.map(({ name }) => name).join(' ');
}
