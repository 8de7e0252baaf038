import { errorText, isAbort, type ContainerRuntime, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { applySteps, type StepsDeps } from '../apply/steps.js';
import { anythingRuns, type ActualPod } from '../plan/actual.js';
import { isAnotherWish, withoutStarts } from '../plan/hold.js';
import { podGrace } from '../plan/grace.js';
import { isTerminalPhase } from '../plan/containers.js';
import { heldStatus, releasedStatus, type HoldUpgrade } from '../hold/hold-upgrade.js';
import { planPod } from '../plan/plan-pod.js';
import { planRemoval, planStop } from '../plan/plan-stop.js';
import type { Probes } from '../probes/probes.js';
import type { GarbageRules } from '../plan/garbage.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { podStatus } from '../plan/pod-status.js';
import type { PodPlan, PodStep, Waiting } from '../plan/steps.js';
import { seconds } from '../plan/time.js';
import type { PodVerdict } from '../plan/verdict.js';
import type { Admission } from '../policy/admission.js';
import { DEADLINE_EXCEEDED, deadlineOf } from '../policy/deadline.js';
import type { PodEvents } from './pod-events.js';
import type { PodStatuses } from './pod-statuses.js';
import type { RuntimeView } from './runtime-view.js';

/** Pauses after a failure: 10 s, doubling to a minute. */
const FIRST_RETRY_MS = 10_000;
const LAST_RETRY_MS = 60_000;
/** Rounds of deciding and doing in a row; more would mean that a plan never gets done. */
const MAX_ROUNDS = 12;
/** Between questions whether room has been made. */
const ADMISSION_POLL_MS = 500;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface PodWorkerDeps extends StepsDeps {
  readonly uid: string;
  readonly runtime: ContainerRuntime;
  readonly runtimeName: string;
  readonly view: RuntimeView;
  readonly statuses: PodStatuses;
  readonly events: PodEvents;
  readonly probes: Probes;
  readonly garbage: () => GarbageRules;
  readonly admission: Pick<Admission, 'admit' | 'forget'>;
  readonly hold: HoldUpgrade;
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

/** Keeps one pod, by uid, as it should be: looks, decides, does, reports; then sleeps until something happens. */
export class PodWorker {
  readonly #deps: PodWorkerDeps;
  readonly #seen = seconds(Date.now());
  #pod: Pod | undefined;
  #removed = false;
  #dirty = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** After a failure nothing is started before this time. */
  #holdUntil = 0;
  /** The containers that this is about; undefined when it is the whole pod. */
  #held: ReadonlySet<string> | undefined;
  #waiting: ReadonlyMap<string, Waiting> = new Map();
  #fingerprint: string | undefined;
  #toldOf: number | undefined;
  #kill: { readonly controller: AbortController; readonly grace: number } | undefined;
  #verdict: PodVerdict | undefined;
  readonly #hooked = new Set<string>();
  /** What the last report said, but for probes. */
  #said: { readonly actual: ActualPod; readonly plan: PodPlan } | undefined;
  /** The pod was admitted here, now or before an earlier end of the agent. */
  #isBegun = false;
  /** A change that waits for its release. */
  #heldChange: Pod | undefined;
  /** When the pod's time is over, milliseconds since the epoch. */
  #deadline = Infinity;

  /** @param pod undefined for what the runtime still has of a pod that nobody knows */
  constructor(deps: PodWorkerDeps, pod: Pod | undefined) {
    this.#deps = deps;
    this.#pod = pod;
    this.#removed = pod === undefined;
  }

  get pod(): Pod | undefined {
    return this.#pod;
  }

  /** The last that was heard of the pod, also when it is held back. */
  get newest(): Pod | undefined {
    return this.#heldChange ?? this.#pod;
  }

  /** True when the pod was taken from this node; it ends and then everything of it is removed. */
  get removed(): boolean {
    return this.#removed;
  }

  update(pod: Pod): void {
    // The answer to an earlier patch may come after the end of the pod and know nothing of it.
    if (this.#removed && this.#pod && podGrace(pod) >= podGrace(this.#pod)) return;
    const ends = pod.metadata.deletionTimestamp !== undefined && this.#pod?.metadata.deletionTimestamp === undefined;
    // The echo of what was reported is no reason to try again.
    const isEcho = Date.now() < this.#holdUntil && !isAnotherWish(this.#pod, pod);
    const { hold, statuses, uid } = this.#deps;
    const held = this.#pod !== undefined && this.#isBegun && hold.holdsChange(this.#pod, pod, statuses.previous(uid));
    this.#heldChange = held ? pod : undefined;
    if (held) return this.wake();
    this.#pod = pod;
    // Less time than the containers are being given now: they have to be told again. A pod that ends waits for no image.
    if (this.#kill && (ends || podGrace(pod) < this.#kill.grace)) this.#kill.controller.abort();
    if (isEcho) this.stir();
    else this.wake();
  }

  /** Lets go what the hold annotation keeps back. */
  release(): void {
    this.#deps.hold.release(this.#deps.uid);
    if (this.#heldChange) this.update(this.#heldChange);
    else this.wake();
  }

  remove(): void {
    this.#removed = true;
    if (this.#pod?.metadata.deletionTimestamp === undefined) this.#kill?.controller.abort();
    this.wake();
  }

  get terminating(): boolean {
    return this.#verdict !== undefined || this.#pod?.metadata.deletionTimestamp !== undefined;
  }

  /** The node ends the pod; the first verdict counts. */
  fail(verdict: PodVerdict): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = verdict;
    this.#kill?.controller.abort();
    this.wake();
  }

  /** The probes have a new opinion. What the work in hand is about waits for it; whether the pod is ready does not. */
  probed(): void {
    if (this.#running && this.#said && this.#pod && !this.#removed) this.#report(this.#pod, this.#said.actual, this.#said.plan, this.terminating);
    this.wake();
  }

  /** Something that matters has changed: look again and try again, now or right after the work in hand. */
  wake(): void {
    this.#holdUntil = 0;
    this.stir();
  }

  /** The runtime has something new: look again. What failed a moment ago is not tried again because of it. */
  stir(): void {
    if (this.#deps.signal.aborted) return;
    this.#dirty = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      if (this.#dirty) this.stir();
    });
  }

  /** Stirs when the runtime shows the pod in another state than the one worked on last. */
  noticed(fingerprint: string): void {
    if (this.#fingerprint !== fingerprint && !this.#running) this.stir();
  }

  /** Resolves when the work in hand is over; nothing new is begun after the signal has aborted. */
  async settled(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    clearTimeout(this.#timer);
  }

  async #work(): Promise<void> {
    clearTimeout(this.#timer);
    const { log, signal } = this.#deps;
    try {
      for (let round = 0; round < MAX_ROUNDS && !signal.aborted; round += 1) {
        this.#dirty = false;
        if ((await this.#round()) === 'rest' && !this.#dirty) return;
      }
      this.#sleep(Date.now() + FIRST_RETRY_MS);
    } catch (error) {
      if (isAbort(error) && signal.aborted) return;
      log.warn('pod not brought to its desired state, tried again later', { pod: this.#label(), err: errorText(error) });
      this.#retryLater();
    }
  }

  /** One round: look, decide, report, do. */
  async #round(): Promise<'again' | 'rest'> {
    const deps = this.#deps;
    const { actual, fingerprint } = await deps.view.observe(deps.uid, deps.signal);
    this.#fingerprint = fingerprint;
    // As it is now: what came while the runtime was asked has found nothing that it could have hurried.
    const pod = this.#pod;
    if (this.#removed || !pod) return this.#roundOfRemoval(pod, actual);
    if (deps.mustWait(pod)) return 'rest';
    if (!this.terminating && this.#gate(pod, actual) === 'shut') return 'rest';
    const { terminating } = this;
    const known = withLastStatus(pod, deps.statuses.previous(deps.uid));
    deps.probes.sync(known, actual, terminating);
    const plan: PodPlan = terminating
      ? { ...planStop(pod, actual, this.#graceOfVerdict(pod)), waiting: new Map() }
      : planPod({ pod: known, actual, now: Date.now(), garbage: deps.garbage(), probes: deps.probes.view(deps.uid) });
    this.#report(pod, actual, plan, terminating);
    if (plan.steps.length === 0) {
      const deleted = pod.metadata.deletionTimestamp !== undefined;
      if (!anythingRuns(actual) && isTerminalPhase(deps.statuses.previous(deps.uid).phase)) {
        // What was left running may still use volumes.
        await deps.isolation?.release(deps.uid, deps.signal);
        await deps.volumes.release(deps.uid, deps.signal);
      }
      if (deleted && !anythingRuns(actual) && deps.statuses.isFinal(deps.uid)) deps.statuses.sendDelete(deps.uid);
      this.#failures = 0;
      if (plan.wakeAt !== undefined) {
        this.#tellBackoff(pod, plan);
        this.#sleep(plan.wakeAt);
      } else if (this.#deadline !== Infinity) {
        this.#sleep(this.#deadline);
      }
      return 'rest';
    }
    if (Date.now() >= this.#holdUntil) return this.#do(plan.steps, actual, pod);
    const others = this.#held ? withoutStarts(plan.steps, this.#held) : [];
    if (others.length > 0) return this.#do(others, actual, pod, this.#waiting);
    this.#sleep(Math.min(this.#holdUntil, plan.wakeAt ?? Infinity));
    return 'rest';
  }

  /** What comes before all work on a pod: it may have to wait, it may not be allowed here, or its time may be over. */
  #gate(pod: Pod, actual: ActualPod): 'open' | 'shut' {
    const { statuses, uid, hold, admission, events } = this.#deps;
    const status = statuses.previous(uid);
    this.#deadline = Infinity;
    if (isTerminalPhase(status.phase)) return 'open';
    this.#isBegun ||= actual.sandboxes.length + actual.containers.length > 0 || status.startTime !== undefined;
    if (hold.holdsNew(pod, status, this.#isBegun)) {
      statuses.set(uid, heldStatus(status, Date.now()));
      return 'shut';
    }
    const answer = admission.admit(pod, this.#isBegun);
    if (answer === 'wait') {
      this.#sleep(Date.now() + ADMISSION_POLL_MS);
      return 'shut';
    }
    if (answer !== 'admitted') {
      events.say(pod, { type: 'Warning', reason: answer.reason, message: answer.message });
      this.fail(answer);
      return 'open';
    }
    this.#isBegun = true;
    this.#deadline = deadlineOf(pod, status) ?? Infinity;
    if (this.#deadline > Date.now()) return 'open';
    this.#deadline = Infinity;
    events.say(pod, { type: 'Normal', reason: DEADLINE_EXCEEDED.reason, message: DEADLINE_EXCEEDED.message });
    this.fail(DEADLINE_EXCEEDED);
    return 'open';
  }

  async #roundOfRemoval(pod: Pod | undefined, actual: ActualPod): Promise<'again' | 'rest'> {
    this.#deps.probes.forget(this.#deps.uid);
    const { steps } = planStop(pod, actual);
    if (steps.length > 0) return this.#do(steps, actual, pod);
    const rest = planRemoval(actual);
    if (rest.length > 0) return this.#do(rest, actual, pod);
    await this.#deps.onGone();
    this.#deps.admission.forget(this.#deps.uid);
    this.#deps.hold.forget(this.#deps.uid);
    return 'rest';
  }

  /** @param stillWaiting containers that the steps leave out because their pause is not over */
  async #do(steps: readonly PodStep[], actual: ActualPod, pod: Pod | undefined, stillWaiting: ReadonlyMap<string, Waiting> = new Map()): Promise<'again' | 'rest'> {
    const deps = this.#deps;
    const controller = new AbortController();
    this.#kill = { controller, grace: pod ? (this.#graceOfVerdict(pod) ?? podGrace(pod)) : 0 };
    const newest = actual.sandboxes[0];
    const scene = {
      pod,
      sandboxId: newest?.state === 'ready' ? newest.id : undefined,
      sandboxAttempt: newest?.metadata.attempt ?? 0,
      seen: this.#seen,
      facts: deps.facts,
      podIPs: newest?.ips ?? [],
      hostIPs: deps.hostIPs(),
      hooked: this.#hooked,
      say: (event: Parameters<PodEvents['say']>[1]) => pod && deps.events.say(pod, event),
      killSignal: controller.signal,
    };
    const result = await applySteps(deps, steps, scene, deps.signal).finally(() => (this.#kill = undefined));
    this.#waiting = new Map([...stillWaiting, ...result.waiting]);
    if (controller.signal.aborted && isAbort(result.error)) return 'again';
    if (result.error === undefined && result.waiting.size === 0) return 'again';
    if (result.error !== undefined) {
      deps.log.warn('pod not brought to its desired state, tried again later', { pod: this.#label(), err: errorText(result.error) });
    }
    this.#held = result.error === undefined ? new Set(this.#waiting.keys()) : undefined;
    await this.#reportAfterFailure(pod);
    this.#retryLater(result.retryAt);
    return 'rest';
  }

  /** Some containers may have started all the same, and the waiting reasons are news. */
  async #reportAfterFailure(pod: Pod | undefined): Promise<void> {
    if (!pod || this.#removed) return;
    const { actual, fingerprint } = await this.#deps.view.observe(this.#deps.uid, this.#deps.signal);
    this.#fingerprint = fingerprint;
    this.#deps.probes.sync(withLastStatus(pod, this.#deps.statuses.previous(this.#deps.uid)), actual, this.terminating);
    this.#report(pod, actual, { steps: [], waiting: this.#waiting }, this.terminating);
  }

  /** Seconds; a pod that was deleted with less keeps that. */
  #graceOfVerdict(pod: Pod): number | undefined {
    const { graceSeconds } = this.#verdict ?? {};
    if (graceSeconds === undefined) return undefined;
    return pod.metadata.deletionTimestamp === undefined ? graceSeconds : Math.min(graceSeconds, podGrace(pod));
  }

  #report(pod: Pod, actual: ActualPod, plan: PodPlan, terminating: boolean): void {
    const { statuses, hostIPs, probes, runtimeName, uid } = this.#deps;
    this.#said = { actual, plan };
    const waiting = new Map([...this.#waiting, ...plan.waiting]);
    const now = Date.now();
    const last = statuses.previous(uid);
    const previous = this.#heldChange ? heldStatus(last, now) : releasedStatus(last, now);
    statuses.set(uid, podStatus({ pod, actual, previous, waiting, terminating, verdict: this.#verdict, probes: probes.view(uid), hostIPs: hostIPs(), runtime: runtimeName, now }));
  }

  /** Once for each pause, not for each look during it. */
  #tellBackoff(pod: Pod, { wakeAt, waiting }: PodPlan): void {
    if (this.#toldOf === wakeAt) return;
    this.#toldOf = wakeAt;
    for (const [name, { message = '' }] of waiting) {
      this.#deps.events.say(pod, { type: 'Warning', reason: 'BackOff', message, fieldPath: `spec.containers{${name}}` });
    }
  }

  /** @param at when it is known when the next try makes sense */
  #retryLater(at?: number): void {
    const pause = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS);
    this.#failures += 1;
    this.#holdUntil = at ?? Date.now() + pause;
    this.#sleep(this.#holdUntil);
  }

  #sleep(until: number): void {
    clearTimeout(this.#timer);
    if (this.#deps.signal.aborted) return;
    const pause = Math.min(until, this.#deadline) - Date.now();
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.max(0, pause), LONGEST_TIMER_MS));
  }

  #label(): string {
    return this.#pod ? `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}` : this.#deps.uid;
  }
}

/** What was reported last counts before what the API has got round to. */
function withLastStatus(pod: Pod, status: NonNullable<Pod['status']>): Pod {
  return { ...pod, status };
}
