import { errorText, isAbort, sleep, type ContainerRuntime, type Logger, type RuntimeEvent } from '@edge/core';
import { shareOfDead, type GarbageRules } from '../plan/garbage.js';
import { steadyNow } from '../steady-clock.js';
import { followEvents } from './follow-events.js';
import type { PodDirectory } from './pod-directory.js';
import { fingerprint, type ListedPod, type RuntimeView } from './runtime-view.js';

/** While the runtime does not answer: pods are waited for when it comes back. */
const OUTAGE_RELIST_MS = 1_000;
/** Events come in groups. */
const RELIST_SOON_MS = 50;

export interface RuntimeWatchDeps {
  readonly runtime: ContainerRuntime;
  readonly view: RuntimeView;
  readonly pods: PodDirectory;
  readonly garbage: GarbageRules;
  /** Dead containers kept on the whole node; infinite for no limit. */
  readonly maxDead: number;
  /** Milliseconds between listings of the runtime. */
  readonly relistMs: number;
  /** The runtime has something of a pod that has no worker; told at each listing. */
  readonly onUnknown: (pod: ListedPod) => void;
  /** After each regular listing. */
  readonly onListed: () => void;
  /** The runtime has stopped to answer, or answers again. */
  readonly onRuntime: (answers: boolean) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Follows what happens in the runtime: tells workers of news, and of what belongs to no pod of the node. */
export class RuntimeWatch {
  readonly #deps: RuntimeWatchDeps;
  #soon: NodeJS.Timeout | undefined;
  #listedAt = steadyNow();
  #garbage: GarbageRules;
  #answers = true;

  constructor(deps: RuntimeWatchDeps) {
    this.#deps = deps;
    this.#garbage = deps.garbage;
  }

  /** When the runtime was last listed, by `steadyNow`. */
  get listedAt(): number {
    return this.#listedAt;
  }

  /** The rules for one pod, as far as the number of dead containers on the node allows. */
  get garbage(): GarbageRules {
    return this.#garbage;
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { runtime, signal, log } = this.#deps;
    try {
      await Promise.all([followEvents(runtime, (event) => this.#noticed(event), log, signal), this.#lookNowAndThen()]);
    } finally {
      clearTimeout(this.#soon);
    }
  }

  /** Lists the runtime at once, but for a moment in which more of the same may come. */
  lookSoon(): void {
    if (!this.#deps.signal.aborted) this.#soon ??= setTimeout(() => void this.#look(), RELIST_SOON_MS);
  }

  #noticed(event: RuntimeEvent): void {
    // Nobody else begins anything here, and a worker looks after what it has begun.
    if (event.type === 'created' || event.type === 'started') return;
    // Mostly the worker has ended it itself.
    if (event.type === 'stopped' && this.#deps.view.hasSeenEnd(event.containerId)) return;
    const uid = this.#deps.view.ownerOf(event.sandboxId);
    const worker = uid === undefined ? undefined : this.#deps.pods.workers.get(uid);
    if (worker) worker.stir();
    // Its sandbox is newer than the last listing.
    else this.lookSoon();
  }

  async #lookNowAndThen(): Promise<void> {
    const { relistMs, onListed, signal } = this.#deps;
    while (!signal.aborted) {
      await this.#look();
      onListed();
      await sleep(this.#answers ? relistMs : Math.min(relistMs, OUTAGE_RELIST_MS), signal);
    }
  }

  async #look(): Promise<void> {
    const { view, pods, garbage, maxDead, onUnknown, signal, log } = this.#deps;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    try {
      const listed = await view.list(signal);
      this.#listedAt = steadyNow();
      this.#setAnswers(true);
      this.#garbage = shareOfDead(garbage, maxDead, [...listed.values()].map(({ containers }) => containers));
      for (const [uid, worker] of pods.workers) worker.noticed(fingerprint(listed.get(uid)));
      for (const pod of listed.values()) if (!pods.workers.has(pod.uid)) onUnknown(pod);
    } catch (error) {
      if (isAbort(error)) return;
      if (this.#answers) log.warn('the container runtime cannot be listed', { err: errorText(error) });
      this.#setAnswers(false);
    }
  }

  /** After an outage of the runtime nobody waits for the end of a pause. */
  #setAnswers(answers: boolean): void {
    if (this.#answers === answers) return;
    this.#answers = answers;
    if (answers) this.#deps.log.info('the container runtime answers again');
    this.#deps.onRuntime(answers);
    if (answers) this.#deps.pods.wakeAll();
  }
}
