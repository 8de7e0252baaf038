import type { RuntimeContainerStatus } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { runsOf, type ActualPod } from './actual.js';
import { collectGarbage, type GarbageRules } from './garbage.js';
import { initRestartPolicy, isSidecar, isTerminalPhase, restartPolicy, restarts, sidecars, type RestartPolicy } from './containers.js';
import { decideRestart } from './backoff.js';
import { containerHash, ContainerAnnotations, restartCountOf } from './identity.js';
import { podGrace } from './grace.js';
import { containerKill } from './kill.js';
import { noProbes, type ProbeView } from '../probes/view.js';
import { planEphemeral } from './ephemeral.js';
import { planStop } from './plan-stop.js';
import { wantsNewSandbox } from './sandbox-change.js';
import type { ContainerKill, PodPlan, PodStep, Waiting } from './steps.js';

export interface PlanInput {
  readonly pod: Pod;
  readonly actual: ActualPod;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What is kept of dead containers; one of each name unless configured. */
  readonly garbage?: GarbageRules;
  /** What the probes say; the pod has none unless given. */
  readonly probes?: ProbeView;
}

/** What is to be done with one container of the spec. */
interface Verdict {
  readonly kind: 'keep' | 'start' | 'wait' | 'end' | 'over';
  readonly steps: readonly PodStep[];
  readonly kills: readonly ContainerKill[];
  readonly wakeAt?: number;
  readonly waiting?: Waiting;
}

/** Clocks are corrected all the time, by a little. */
const CLOCK_TOLERANCE_MS = 1_000;

const over: Verdict = { kind: 'over', steps: [], kills: [] };
const keep: Verdict = { kind: 'keep', steps: [], kills: [] };

/**
 * The steps that bring a pod which should run from what the runtime has to what its spec wants. Pure; the plan for a
 * pod that is as desired is empty. A pod that has to end is `planStop`'s.
 */
export function planPod(input: PlanInput): PodPlan {
  const { pod, actual } = input;
  // A phase that was reported as final stays final, whatever the runtime has lost since.
  if (isTerminalPhase(pod.status?.phase)) return { ...planStop(pod, actual), waiting: new Map() };
  const change = wantsNewSandbox(pod, actual);
  if (change === 'finished') return { ...planStop(pod, actual), waiting: new Map() };
  const sandboxId = change === 'keep' ? actual.sandboxes[0]?.id : undefined;

  const verdicts = new Map<string, Verdict>();
  const initialized = judgeInits(input, sandboxId, verdicts);
  if (initialized === 'failed') return { ...planStop(pod, actual), waiting: new Map() };
  if (initialized === 'yes') {
    for (const container of pod.spec.containers) verdicts.set(container.name, judge(input, container, restartPolicy(pod), false));
    const lives = pod.spec.containers.some(({ name }) => verdicts.get(name)?.kind !== 'over');
    if (!lives) return { ...planStop(pod, actual), waiting: new Map() };
  }
  return assemble(input, change === 'create', [...verdicts]);
}

/** Fills in the verdicts of the init containers that matter now. */
function judgeInits(input: PlanInput, sandboxId: string | undefined, verdicts: Map<string, Verdict>): 'yes' | 'no' | 'failed' {
  const { pod, actual } = input;
  const inits = pod.spec.initContainers ?? [];
  const hasRun = ({ name }: Container): boolean => sandboxId !== undefined && runsOf(actual, name).some((run) => run.sandboxId === sandboxId);
  if (pod.spec.containers.some(hasRun)) {
    for (const container of sidecars(pod)) verdicts.set(container.name, judge(input, container, 'Always', true));
    return 'yes';
  }
  // Whatever comes before the last one that ran is done; its container may have been removed since.
  const last = inits.findLastIndex(hasRun);
  for (const [index, container] of inits.entries()) {
    if (index < last && !isSidecar(container)) continue;
    const ranHere = hasRun(container);
    // A sidecar that has to start again does not hold up what has come after it already.
    const gates = index >= last || !isSidecar(container);
    const policy = isSidecar(container) ? 'Always' : initRestartPolicy(pod);
    if (!ranHere) {
      // A new sandbox runs the init containers again, whatever became of them in the old one.
      verdicts.set(container.name, startAnew(input, container, true));
      if (gates) return 'no';
      continue;
    }
    const newest = runsOf(actual, container.name)[0];
    if (!isSidecar(container) && newest?.state === 'exited') {
      if (newest.exitCode === 0) continue;
      if (policy === 'Never') return 'failed';
    }
    const verdict = judge(input, container, policy, true);
    verdicts.set(container.name, verdict);
    const up = isSidecar(container) && verdict.kind === 'keep' && newest !== undefined && probesOf(input).started(newest);
    if (gates && !up) return 'no';
  }
  return 'yes';
}

function judge(input: PlanInput, container: Container, policy: RestartPolicy, init: boolean): Verdict {
  const newest = runsOf(input.actual, container.name)[0];
  if (newest === undefined) return startAnew(input, container, init);
  const next = { do: 'startContainer' as const, container, init };
  switch (newest.state) {
    case 'running': {
      const recorded = newest.annotations[ContainerAnnotations.hash];
      if (recorded === undefined || recorded === containerHash(container)) return unlessFailed(input, container, newest, policy);
      const { nextSeconds } = decideRestart({ ...newest, finishedAt: input.now }, container);
      return {
        kind: 'start',
        kills: [containerKill(input.pod, newest, { why: 'its definition has changed' })],
        steps: [{ ...next, restartCount: restartCountOf(newest) + 1, backoffSeconds: nextSeconds }],
      };
    }
    case 'created':
      // Made and never started: the agent ended in between. It does not count as a run.
      return {
        kind: 'start',
        kills: [],
        steps: [
          { do: 'removeContainer', containerId: newest.id },
          { ...next, restartCount: restartCountOf(newest), backoffSeconds: recordedBackoff(newest) },
        ],
      };
    case 'unknown':
      return {
        kind: 'start',
        kills: [containerKill(input.pod, newest, { why: 'its state is unknown' })],
        steps: [{ ...next, restartCount: restartCountOf(newest) + 1, backoffSeconds: decideRestart(newest, container).nextSeconds }],
      };
    case 'exited':
      return restarts(policy, newest.exitCode) || (policy !== 'Never' && probesOf(input).failed(newest)) ? restart(input, container, newest, init) : over;
  }
}

/** What runs goes on, unless a probe says that it must not. It ends first; what follows is decided when it has. */
function unlessFailed(input: PlanInput, container: Container, newest: RuntimeContainerStatus, policy: RestartPolicy): Verdict {
  const failure = probesOf(input).failed(newest);
  if (!failure) return keep;
  const why = `Container ${container.name} ${failure.why}${policy === 'Never' ? '' : ', will be restarted'}`;
  return { kind: 'end', steps: [], kills: [containerKill(input.pod, newest, { why, graceSeconds: podGrace(input.pod, failure.graceSeconds) })] };
}

function probesOf({ probes = noProbes }: PlanInput): ProbeView {
  return probes;
}

function restart(input: PlanInput, container: Container, ended: RuntimeContainerStatus, init: boolean): Verdict {
  const decision = decideRestart(ended, container);
  // A run that ended in the future: the clock has been set back, and nobody can wait until then.
  const clockIsRight = decision.notBefore - input.now <= decision.waitSeconds * 1000 + CLOCK_TOLERANCE_MS;
  if (decision.notBefore > input.now && clockIsRight) {
    const { name, namespace, uid } = input.pod.metadata;
    const message = `back-off ${duration(decision.waitSeconds)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
    return { kind: 'wait', steps: [], kills: [], wakeAt: decision.notBefore, waiting: { reason: 'CrashLoopBackOff', message } };
  }
  const step: PodStep = { do: 'startContainer', container, init, restartCount: restartCountOf(ended) + 1, backoffSeconds: decision.nextSeconds };
  return { kind: 'start', steps: [step], kills: [] };
}

/** A first run, as far as is known here: the status may remember runs that the runtime has lost. */
function startAnew(input: PlanInput, container: Container, init: boolean): Verdict {
  const newest = runsOf(input.actual, container.name)[0];
  const statuses = (init ? input.pod.status?.initContainerStatuses : input.pod.status?.containerStatuses) ?? [];
  const reported = statuses.find(({ name }) => name === container.name);
  // The status counts a lost run itself once it no longer names the container.
  const lost = reported === undefined ? 0 : reported.restartCount + (reported.containerID === undefined ? 0 : 1);
  const restartCount = newest ? restartCountOf(newest) + 1 : lost;
  const step: PodStep = { do: 'startContainer', container, init, restartCount, backoffSeconds: 0 };
  return { kind: 'start', steps: [step], kills: [] };
}

function assemble(input: PlanInput, newSandbox: boolean, verdicts: readonly [string, Verdict][]): PodPlan {
  const { pod, actual } = input;
  const waiting = new Map<string, Waiting>();
  for (const [name, verdict] of verdicts) if (verdict.waiting) waiting.set(name, verdict.waiting);
  const wakes = verdicts.flatMap(([, { wakeAt }]) => (wakeAt === undefined ? [] : [wakeAt]));
  const wakeAt = (times: readonly number[]): { wakeAt?: number } => (times.length === 0 ? {} : { wakeAt: Math.min(...times) });
  const wake = wakeAt(wakes);
  const starts = verdicts.flatMap(([, verdict]) => verdict.steps);
  if (newSandbox) {
    // While every container has to wait a new sandbox would only idle; what still runs in the old one ends first.
    if (starts.length === 0) return { steps: planStop(pod, actual).steps, waiting, ...wake };
    const attempt = actual.sandboxes[0] === undefined ? 0 : actual.sandboxes[0].metadata.attempt + 1;
    return { steps: [...planStop(pod, actual).steps, { do: 'prepareVolumes' }, { do: 'createSandbox', attempt }, ...starts], waiting, ...wake };
  }
  const kills = [...verdicts.flatMap(([, verdict]) => verdict.kills), ...duplicates(input)];
  const steps: PodStep[] = kills.length === 0 ? [] : [{ do: 'killContainers', containers: kills }];
  starts.unshift(...planEphemeral(pod, actual));
  if (starts.length > 0) steps.push({ do: 'prepareVolumes' }, ...starts);
  const garbage = collectGarbage(actual, input.garbage ?? { keepDead: 1, minAgeMs: 0 }, input.now);
  return { steps: [...steps, ...garbage.steps], waiting, ...wakeAt([...wakes, garbage.wakeAt ?? []].flat()) };
}

/** Earlier runs that still work beside a later one of the same name: somebody else started that one. */
function duplicates({ pod, actual }: PlanInput): ContainerKill[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) =>
    runsOf(actual, container.name)
      .slice(1)
      .filter(({ state }) => state === 'running' || state === 'unknown')
      .map((run) => containerKill(pod, run, { why: 'a later run has taken its place' })),
  );
}

function recordedBackoff(container: RuntimeContainerStatus): number {
  return Number(container.annotations[ContainerAnnotations.backoffSeconds] ?? 0) || 0;
}

/** `10s`, `2m40s`. */
function duration(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
