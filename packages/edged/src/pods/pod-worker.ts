import { errorText, isAbort } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { fullName } from '../plan/full-name.js';
import { podGrace } from '../plan/grace.js';
import { isAnotherWish } from '../plan/hold.js';
import type { PodVerdict } from '../plan/verdict.js';
import { PodRound, type PodRoundDeps, type PodWish } from './pod-round.js';

/** Pauses after a failure: 10 s, then 20 s. What can be noticed ends them sooner. */
const FIRST_RETRY_MS = 10_000;
const LAST_RETRY_MS = 20_000;
/** Rounds of deciding and doing in a row; more would mean that a plan never gets done. */
const MAX_ROUNDS = 12;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export type PodWorkerDeps = PodRoundDeps;

/** Keeps one pod, by uid, as it should be: goes round by round until it is; then sleeps until something happens. */
export class PodWorker implements PodWish {
  readonly #deps: PodWorkerDeps;
  readonly #round: PodRound;
  #pod: Pod | undefined;
  #removed: boolean;
  #verdict: PodVerdict | undefined;
  /** A change that waits for its release. */
  #heldChange: Pod | undefined;
  #dirty = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #holdUntil = 0;

  /** @param pod undefined for what the runtime still has of a pod that nobody knows */
  constructor(deps: PodWorkerDeps, pod: Pod | undefined) {
    this.#deps = deps;
    this.#pod = pod;
    this.#removed = pod === undefined;
    this.#round = new PodRound(deps, this);
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

  get terminating(): boolean {
    return this.#verdict !== undefined || this.#pod?.metadata.deletionTimestamp !== undefined;
  }

  get verdict(): PodVerdict | undefined {
    return this.#verdict;
  }

  get isHeldBack(): boolean {
    return this.#heldChange !== undefined;
  }

  get holdUntil(): number {
    return this.#holdUntil;
  }

  update(pod: Pod): void {
    // The answer to an earlier patch may come after the end of the pod and know nothing of it.
    if (this.#removed && this.#pod && podGrace(pod) >= podGrace(this.#pod)) return;
    const ends = pod.metadata.deletionTimestamp !== undefined && this.#pod?.metadata.deletionTimestamp === undefined;
    // The echo of what was reported is no reason to try again.
    const isEcho = Date.now() < this.#holdUntil && !isAnotherWish(this.#pod, pod);
    const { hold, statuses, uid } = this.#deps;
    const held = this.#pod !== undefined && this.#round.isBegun && hold.holdsChange(this.#pod, pod, statuses.previous(uid));
    this.#heldChange = held ? pod : undefined;
    if (held) return this.wake();
    this.#pod = pod;
    // Less time than the containers are being given now: they have to be told again. A pod that ends waits for no image.
    if (ends || podGrace(pod) < (this.#round.grace ?? 0)) this.#round.interrupt();
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
    if (this.#pod?.metadata.deletionTimestamp === undefined) this.#round.interrupt();
    this.wake();
  }

  /** The node ends the pod; the first verdict counts. */
  fail(verdict: PodVerdict): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = verdict;
    this.#round.interrupt();
    this.wake();
  }

  /** The probes have a new opinion. What the work in hand is about waits for it; whether the pod is ready does not. */
  probed(): void {
    if (this.#running && this.#pod && !this.#removed) this.#round.reportAgain(this.#pod);
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
    if (this.#round.fingerprint !== fingerprint && !this.#running) this.stir();
  }

  /** Resolves when the work in hand is over; nothing new is begun after the signal has aborted. */
  async settled(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    clearTimeout(this.#timer);
  }

  async #work(): Promise<void> {
    clearTimeout(this.#timer);
    const { log, signal, uid } = this.#deps;
    try {
      for (let round = 0; round < MAX_ROUNDS && !signal.aborted; round += 1) {
        this.#dirty = false;
        const end = await this.#round.run();
        if (end.next === 'again') continue;
        if (end.next === 'retry') this.#retryLater(end.at);
        else {
          if (end.isAsWanted) this.#failures = 0;
          if (end.wakeAt !== undefined) this.#sleep(end.wakeAt);
        }
        if (!this.#dirty) return;
      }
      this.#sleep(Date.now() + FIRST_RETRY_MS);
    } catch (error) {
      if (isAbort(error) && signal.aborted) return;
      log.warn('pod not brought to its desired state, tried again later', { pod: this.#pod ? fullName(this.#pod) : uid, err: errorText(error) });
      this.#retryLater();
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
    const pause = Math.min(until, this.#round.deadline) - Date.now();
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.max(0, pause), LONGEST_TIMER_MS));
  }
}
