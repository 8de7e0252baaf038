import { isAbort, sleep, type Logger } from '@edge/core';
import { isTerminalPhase } from '../plan/containers.js';
import { hasEnded, type PodControl, type PodsView } from '../pods/pods-view.js';
import { shutdownGroups, type ShutdownGroup, type ShutdownPeriod } from './shutdown-plan.js';

const POLL_MS = 100;
/** A pod that ended is reported in this time, or the next start of the machine reports it. */
const LAST_WORDS_MS = 500;
const MESSAGE = 'Pod was terminated because the node is shutting down';

export interface ShutdownDeps {
  readonly periods: readonly ShutdownPeriod[];
  /** Whether the whole machine goes down, and not only this agent. */
  readonly isMachineStopping: () => Promise<boolean>;
  readonly pods: Pick<PodsView, 'list' | 'byUid'>;
  readonly control: Pick<PodControl, 'fail'>;
  /** The node is no longer Ready. */
  readonly onShutdown: () => void;
  readonly log: Logger;
}

/** When the machine shuts down, pods end in the order of their priority before the agent does. */
export class Shutdown {
  readonly #deps: ShutdownDeps;
  #running = false;

  constructor(deps: ShutdownDeps) {
    this.#deps = deps;
  }

  /** The machine is shutting down: nothing new may start. */
  get running(): boolean {
    return this.#running;
  }

  /**
   * To be called when the agent is told to stop, before it does. Returns at once when only the agent stops: pods outlive it.
   */
  async endPods(): Promise<void> {
    const { periods, isMachineStopping, pods, log, onShutdown } = this.#deps;
    if (periods.length === 0 || !(await isMachineStopping())) return;
    this.#running = true;
    const active = pods.list().filter((record) => !hasEnded(record));
    log.warn('the machine is shutting down, pods end', { pods: active.length });
    onShutdown();
    for (const group of shutdownGroups(periods, active.map(({ pod }) => pod))) await this.#end(group);
    await sleep(LAST_WORDS_MS, new AbortController().signal);
  }

  async #end({ seconds, pods }: ShutdownGroup): Promise<void> {
    for (const pod of pods) {
      this.#deps.control.fail(pod.metadata.uid ?? '', {
        reason: 'Terminated',
        message: MESSAGE,
        graceSeconds: Math.min(pod.spec.terminationGracePeriodSeconds ?? seconds, seconds),
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: MESSAGE }],
      });
    }
    const over = AbortSignal.timeout(seconds * 1000);
    const ended = (uid = ''): boolean => {
      const record = this.#deps.pods.byUid(uid);
      return record === undefined || isTerminalPhase(record.status.phase);
    };
    while (!over.aborted && !pods.every(({ metadata }) => ended(metadata.uid))) {
      await sleep(POLL_MS, over).catch((error: unknown) => {
        if (!isAbort(error)) throw error;
      });
    }
  }
}
