import { errorText, isAbort, type ContainerRuntime, type Logger } from '@edge/core';
import type { Pod, PodStatus } from '@edge/protocol';
import { applySteps, type StepsDeps } from '../apply/steps.js';
import { heldStatus, releasedStatus } from '../hold/hold-upgrade.js';
import { anythingRuns, type ActualPod } from '../plan/actual.js';
import { isTerminalPhase } from '../plan/containers.js';
import { fullName } from '../plan/full-name.js';
import type { GarbageRules } from '../plan/garbage.js';
import { podGrace } from '../plan/grace.js';
import { withoutStarts } from '../plan/hold.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { podStatus } from '../plan/pod-status.js';
import { planPod } from '../plan/plan-pod.js';
import { planRemoval, planStop } from '../plan/plan-stop.js';
import type { PodPlan, PodStep, Waiting } from '../plan/steps.js';
import { seconds } from '../plan/time.js';
import type { PodVerdict } from '../plan/verdict.js';
import type { Probes } from '../probes/probes.js';
import { PodGate, type PodGateDeps } from './pod-gate.js';
import type { RuntimeView } from './runtime-view.js';

export interface PodRoundDeps extends StepsDeps, PodGateDeps {
  readonly runtime: ContainerRuntime;
  /** Scheme of container ids, `containerd`. */
  readonly runtimeName: string;
  readonly view: RuntimeView;
  readonly probes: Probes;
  readonly garbage: () => GarbageRules;
  /** Addresses of the node, the preferred one first. */
  readonly hostIPs: () => readonly string[];
  readonly facts: (podIPs: readonly string[]) => PodFacts;
  /** True while another pod still holds the name of this one. */
  readonly mustWait: (pod: Pod) => boolean;
  /** The pod is over and nothing of it is left. */
  readonly onGone: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What is wanted of a pod; it may change at any time, also while a round looks or does. */
export interface PodWish {
  readonly pod: Pod | undefined;
  readonly removed: boolean;
  readonly terminating: boolean;
  readonly verdict: PodVerdict | undefined;
  /** A change waits for its release. */
  readonly isHeldBack: boolean;
  /** After a failure nothing is started before this time, milliseconds since the epoch. */
  readonly holdUntil: number;
  /** The node ends the pod. */
  fail(verdict: PodVerdict): void;
}

/** What comes after a round: another one, a try later, or rest until something happens or the time has come. Milliseconds since the epoch. */
export type RoundEnd =
  | { readonly next: 'again' }
  | { readonly next: 'retry'; readonly at?: number | undefined }
  | { readonly next: 'rest'; readonly wakeAt?: number; readonly isAsWanted?: boolean };

/** One round of the work on a pod: look, decide, report, do. */
export class PodRound {
  readonly #deps: PodRoundDeps;
  readonly #wish: PodWish;
  readonly #gate: PodGate;
  readonly #seen = seconds(Date.now());
  /** Containers whose preStop hook was started. */
  readonly #hooked = new Set<string>();
  /** After a failure: the containers that it is about; undefined when it is the whole pod. */
  #held: ReadonlySet<string> | undefined;
  #waiting: ReadonlyMap<string, Waiting> = new Map();
  #fingerprint: string | undefined;
  #toldOf: number | undefined;
  #work: { readonly controller: AbortController; readonly grace: number } | undefined;
  /** What the last report said, but for probes. */
  #said: { readonly actual: ActualPod; readonly plan: PodPlan } | undefined;

  constructor(deps: PodRoundDeps, wish: PodWish) {
    this.#deps = deps;
    this.#wish = wish;
    this.#gate = new PodGate(deps);
  }

  get isBegun(): boolean {
    return this.#gate.isBegun;
  }

  get deadline(): number {
    return this.#gate.deadline;
  }

  /** The state of the pod in the runtime that was worked on last. */
  get fingerprint(): string | undefined {
    return this.#fingerprint;
  }

  /** Seconds that the pod has to end by the steps in hand; undefined when none are. */
  get grace(): number | undefined {
    return this.#work?.grace;
  }

  /** Ends long waits of the steps in hand: the pod is to end, or sooner than they have been told. */
  interrupt(): void {
    this.#work?.controller.abort();
  }

  /** Reports again what was seen last, with what the probes say now. */
  reportAgain(pod: Pod): void {
    if (this.#said) this.#report(pod, this.#said.actual, this.#said.plan, this.#wish.terminating);
  }

  async run(): Promise<RoundEnd> {
    const { uid, mustWait, statuses, probes, garbage } = this.#deps;
    const actual = await this.#look();
    // As it is now: what came while the runtime was asked has found nothing that it could have hurried.
    const { pod } = this.#wish;
    if (this.#wish.removed || !pod) return this.#remove(pod, actual);
    if (mustWait(pod)) return { next: 'rest' };
    if (!this.#wish.terminating) {
      const answer = this.#gate.ask(pod, actual);
      if (answer !== 'open') {
        if ('shut' in answer) return { next: 'rest', ...(answer.askAt === undefined ? {} : { wakeAt: answer.askAt }) };
        this.#wish.fail(answer.verdict);
      }
    }
    const { terminating } = this.#wish;
    const known = withLastStatus(pod, statuses.previous(uid));
    probes.sync(known, actual, terminating);
    const plan: PodPlan = terminating
      ? { ...planStop(pod, actual, this.#graceOfVerdict(pod)), waiting: new Map() }
      : planPod({ pod: known, actual, now: Date.now(), garbage: garbage(), probes: probes.view(uid) });
    this.#report(pod, actual, plan, terminating);
    if (plan.steps.length === 0) return this.#asWanted(pod, actual, plan);
    const { holdUntil } = this.#wish;
    if (Date.now() >= holdUntil) return this.#do(plan.steps, actual, pod);
    const others = this.#held ? withoutStarts(plan.steps, this.#held) : [];
    if (others.length > 0) return this.#do(others, actual, pod, this.#waiting);
    return { next: 'rest', wakeAt: Math.min(holdUntil, plan.wakeAt ?? Infinity) };
  }

  async #look(): Promise<ActualPod> {
    const { actual, fingerprint } = await this.#deps.view.observe(this.#deps.uid, this.#deps.signal);
    this.#fingerprint = fingerprint;
    return actual;
  }

  /** Nothing is to be done now. */
  async #asWanted(pod: Pod, actual: ActualPod, plan: PodPlan): Promise<RoundEnd> {
    const { uid, statuses, isolation, volumes, signal } = this.#deps;
    const isDeleted = pod.metadata.deletionTimestamp !== undefined;
    if (!anythingRuns(actual) && isTerminalPhase(statuses.previous(uid).phase)) {
      // What was left running may still use volumes.
      await isolation?.release(uid, signal);
      await volumes.release(uid, signal);
    }
    if (isDeleted && !anythingRuns(actual) && statuses.isFinal(uid)) statuses.sendDelete(uid);
    if (plan.wakeAt !== undefined) {
      this.#tellBackoff(pod, plan);
      return { next: 'rest', wakeAt: plan.wakeAt, isAsWanted: true };
    }
    return { next: 'rest', ...(this.deadline === Infinity ? {} : { wakeAt: this.deadline }), isAsWanted: true };
  }

  async #remove(pod: Pod | undefined, actual: ActualPod): Promise<RoundEnd> {
    this.#deps.probes.forget(this.#deps.uid);
    const { steps } = planStop(pod, actual);
    if (steps.length > 0) return this.#do(steps, actual, pod);
    const rest = planRemoval(actual);
    if (rest.length > 0) return this.#do(rest, actual, pod);
    await this.#deps.onGone();
    return { next: 'rest' };
  }

  /** @param stillWaiting containers that the steps leave out because their pause is not over */
  async #do(steps: readonly PodStep[], actual: ActualPod, pod: Pod | undefined, stillWaiting: ReadonlyMap<string, Waiting> = new Map()): Promise<RoundEnd> {
    const { facts, hostIPs, events, signal, log, uid } = this.#deps;
    const controller = new AbortController();
    this.#work = { controller, grace: pod ? (this.#graceOfVerdict(pod) ?? podGrace(pod)) : 0 };
    const newest = actual.sandboxes[0];
    const scene = {
      pod,
      sandboxId: newest?.state === 'ready' ? newest.id : undefined,
      sandboxAttempt: newest?.metadata.attempt ?? 0,
      seen: this.#seen,
      facts,
      podIPs: newest?.ips ?? [],
      hostIPs: hostIPs(),
      hooked: this.#hooked,
      say: (event: Parameters<typeof events.say>[1]) => pod && events.say(pod, event),
      killSignal: controller.signal,
    };
    const result = await applySteps(this.#deps, steps, scene, signal).finally(() => (this.#work = undefined));
    this.#waiting = new Map([...stillWaiting, ...result.waiting]);
    if (controller.signal.aborted && isAbort(result.error)) return { next: 'again' };
    if (result.error === undefined && result.waiting.size === 0) return { next: 'again' };
    if (result.error !== undefined) {
      log.warn('pod not brought to its desired state, tried again later', { pod: pod ? fullName(pod) : uid, err: errorText(result.error) });
    }
    this.#held = result.error === undefined ? new Set(this.#waiting.keys()) : undefined;
    await this.#reportAfterFailure(pod);
    return { next: 'retry', at: result.retryAt };
  }

  /** Some containers may have started all the same, and the waiting reasons are news. */
  async #reportAfterFailure(pod: Pod | undefined): Promise<void> {
    if (!pod || this.#wish.removed) return;
    const { uid, statuses, probes } = this.#deps;
    const actual = await this.#look();
    const { terminating } = this.#wish;
    probes.sync(withLastStatus(pod, statuses.previous(uid)), actual, terminating);
    this.#report(pod, actual, { steps: [], waiting: this.#waiting }, terminating);
  }

  #report(pod: Pod, actual: ActualPod, plan: PodPlan, terminating: boolean): void {
    const { statuses, hostIPs, probes, runtimeName, uid } = this.#deps;
    this.#said = { actual, plan };
    const waiting = new Map([...this.#waiting, ...plan.waiting]);
    const now = Date.now();
    const last = statuses.previous(uid);
    const previous = this.#wish.isHeldBack ? heldStatus(last, now) : releasedStatus(last, now);
    const { verdict } = this.#wish;
    statuses.set(uid, podStatus({ pod, actual, previous, waiting, terminating, verdict, probes: probes.view(uid), hostIPs: hostIPs(), runtime: runtimeName, now }));
  }

  /** Seconds; a pod that was deleted with less keeps that. */
  #graceOfVerdict(pod: Pod): number | undefined {
    const { graceSeconds } = this.#wish.verdict ?? {};
    if (graceSeconds === undefined) return undefined;
    return pod.metadata.deletionTimestamp === undefined ? graceSeconds : Math.min(graceSeconds, podGrace(pod));
  }

  /** Once for each pause, not for each look during it. */
  #tellBackoff(pod: Pod, { wakeAt, waiting }: PodPlan): void {
    if (this.#toldOf === wakeAt) return;
    this.#toldOf = wakeAt;
    for (const [name, { message = '' }] of waiting) {
      this.#deps.events.say(pod, { type: 'Warning', reason: 'BackOff', message, fieldPath: `spec.containers{${name}}` });
    }
  }
}

/** What was reported last counts before what the API has got round to. */
function withLastStatus(pod: Pod, status: PodStatus): Pod {
  return { ...pod, status };
}
