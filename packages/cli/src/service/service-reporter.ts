import { errorText, sleep, type CloudLink, type Health, type Logger } from '@edge/core';
import type { Standing } from '../modules/standing.js';
import { serviceStatus } from './service-status.js';
import type { Notify } from './systemd-notify.js';

/** How long messages may wait in a module's lane for the one in hand before the module counts as hanging. */
const HELD_UP_MS = 15 * 60_000;
/** After readiness the link comes up soon, which the status is to show. */
const FIRST_MS = 10_000;
/** How often a changed status is told where there is no watchdog. */
const USUAL_MS = 60_000;

export interface ServiceReporterDeps {
  readonly health: Health;
  readonly link: CloudLink;
  /** What of the role file cannot be followed. */
  readonly unfollowed: () => readonly Standing[];
  /** Lanes that have not moved for that many ms although messages wait. */
  readonly heldUpLanes: (limitMs: number) => readonly string[];
  readonly notify: Notify;
  /** Within how many ms the service manager wants a sign; undefined: it does not watch. */
  readonly watchdogMs: number | undefined;
  readonly log: Logger;
}

/**
 * Tells the service manager when the agent is ready, what is wrong with it, and that it moves. A sign of life is given from the
 * event loop, so a blocked one gives none; and it is withheld while a module's lane hangs, so that the agent is started again.
 */
export class ServiceReporter {
  readonly #deps: ServiceReporterDeps;
  readonly #periodMs: number;

  constructor(deps: ServiceReporterDeps) {
    this.#deps = deps;
    this.#periodMs = deps.watchdogMs === undefined ? USUAL_MS : deps.watchdogMs / 2;
  }

  /** Until the agent stops. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.health.until((modules) => serviceStatus(modules, this.#deps.link.value).started, signal);
      let told = this.#text();
      await this.#tell(['READY=1', `STATUS=${told}`]);
      for (let pause = Math.min(FIRST_MS, this.#periodMs); ; pause = this.#periodMs) {
        await sleep(pause, signal);
        const text = this.#text();
        const signs = [...(this.#moves() ? ['WATCHDOG=1'] : []), ...(text === told ? [] : [`STATUS=${text}`])];
        told = text;
        if (signs.length > 0) await this.#tell(signs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await this.#tell(['STOPPING=1', 'STATUS=stopping']);
  }

  #text(): string {
    return serviceStatus(this.#deps.health.value, this.#deps.link.value, this.#deps.unfollowed()).text;
  }

  #moves(): boolean {
    const hanging = this.#deps.heldUpLanes(HELD_UP_MS);
    if (hanging.length > 0) this.#deps.log.error('no sign of life for the service manager: messages wait behind one that is not done', { lanes: hanging.join(', ') });
    return this.#deps.watchdogMs !== undefined && hanging.length === 0;
  }

  /** A service manager that cannot be told must not end what it looks after. */
  async #tell(assignments: readonly string[]): Promise<void> {
    await this.#deps.notify(assignments).catch((error: unknown) => this.#deps.log.warn('the service manager was not told', { err: errorText(error) }));
  }
}
