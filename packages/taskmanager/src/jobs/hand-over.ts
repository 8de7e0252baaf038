import { sleep } from '@edge/core';
import type { NodeInstallation } from '../installation.js';
import type { JobRow, JobRows } from '../records/job-rows.js';
import { handedOutcome, type HandedAction, type HandedResult } from '../upgrade/handed-outcome.js';

const LOOK_MS = 1000;
/** For what the new version gets to be Ready when neither job nor this agent says it, seconds. */
const USUAL_READY_SECONDS = 300;
/** Fewer are too few for any machine. */
const LEAST_READY_SECONDS = 60;
/** For stopping, copying, switching and starting, seconds. */
const AROUND_SECONDS = 120;

/** What is expected of what was handed over. */
export interface Expectation {
  readonly action: HandedAction;
  readonly from: string;
  readonly wanted: string | undefined;
  readonly limitMs: number;
}

/**
 * The time that a new version gets, of the seconds that the cloud gives an action: the rest is for the way back.
 * @returns undefined when the cloud gives no time
 */
export function readySeconds(timeoutSeconds: number): number | undefined {
  return timeoutSeconds === 0 ? undefined : Math.max(LEAST_READY_SECONDS, Math.floor((timeoutSeconds * 2) / 3));
}

/** How long it may be silent: there and back again. */
export function silenceLimitMs(ready: number | undefined): number {
  return (2 * (ready ?? USUAL_READY_SECONDS) + AROUND_SECONDS) * 1000;
}

/** Hands changes of the agent over to the process that carries them out, once, and finds out what came of them. */
export class HandOver {
  readonly #installation: NodeInstallation;
  readonly #rows: JobRows;

  constructor(deps: { installation: NodeInstallation; rows: JobRows }) {
    this.#installation = deps.installation;
    this.#rows = deps.rows;
  }

  /**
   * @param give hands it over; when it throws nothing has happened
   * @returns what came of it, unless this process is ended by it
   */
  async give(row: JobRow, expected: Expectation, give: () => Promise<void>, signal: AbortSignal): Promise<HandedResult> {
    // What lies there is of another change.
    await this.#installation.dropReport();
    await this.#rows.put({ ...row, phase: 'handed' });
    await give();
    return this.settle(expected, signal);
  }

  /** Waits for what came of something that was handed over, by this process or by the one before it. */
  async settle(expected: Expectation, signal: AbortSignal): Promise<HandedResult> {
    const since = performance.now();
    const running = await this.#installation.running();
    for (;;) {
      // In this order: what ends in between has its report.
      const busy = await this.#installation.isBusy();
      const report = await this.#installation.report();
      const outcome = handedOutcome({ ...expected, running, report, busy, waitedMs: performance.now() - since });
      if (outcome.kind === 'done') return outcome;
      await sleep(LOOK_MS, signal);
    }
  }
}
