import type { MapperInfo, MapperRegisterResponse } from '@edge/protocol/dmi';
import { codeOf, errorText, MapperErrors } from './errors.js';
import { Once, type Log } from './log.js';
import { aborted, growingPause, pause } from './time.js';

export interface RegistrationTarget {
  register(mapper: MapperInfo): Promise<MapperRegisterResponse>;
  /** Resolves with true when the connection is lost, with false after the time. */
  lost(withinMs: number): Promise<boolean>;
}

export interface RegistrationEvents {
  /**
   * EdgeCore knows the mapper and has told its devices. `anew`: the connection was lost before, so EdgeCore may have
   * forgotten what it was told. Resolves with true when EdgeCore should be asked again soon.
   */
  registered(answer: MapperRegisterResponse, anew: boolean): boolean;
  /** The connection is gone. */
  lost(): void;
}

/** How soon EdgeCore is asked again when devices are missing in its answer; it may have been still loading them. */
const ASK_AGAIN_MS = 5000;

/** Keeps the mapper registered: at the start, after each loss of EdgeCore, and now and then besides. */
export class Registration {
  readonly #target: RegistrationTarget;
  readonly #mapper: MapperInfo;
  readonly #events: RegistrationEvents;
  readonly #log: Log;
  readonly #timing: { readonly pauseMs: number; readonly longestPauseMs: number; readonly registerMs: number };
  readonly #once = new Once();
  #registered = false;

  constructor(deps: {
    readonly target: RegistrationTarget;
    readonly mapper: MapperInfo;
    readonly events: RegistrationEvents;
    readonly log: Log;
    readonly timing: { readonly pauseMs: number; readonly longestPauseMs: number; readonly registerMs: number };
  }) {
    this.#target = deps.target;
    this.#mapper = deps.mapper;
    this.#events = deps.events;
    this.#log = deps.log;
    this.#timing = deps.timing;
  }

  get registered(): boolean {
    return this.#registered;
  }

  async run(life: AbortSignal): Promise<void> {
    let again = false;
    while (!life.aborted) {
      const answer = await this.#register(life);
      if (!answer || life.aborted) return;
      const anew = !this.#registered;
      this.#registered = true;
      again = this.#events.registered(answer, anew);
      await this.#untilDue(again ? Math.min(ASK_AGAIN_MS, this.#timing.registerMs) : this.#timing.registerMs, life);
    }
  }

  async #register(life: AbortSignal): Promise<MapperRegisterResponse | undefined> {
    for (let attempt = 0; !life.aborted; attempt += 1) {
      try {
        const answer = await this.#target.register(this.#mapper);
        if (this.#once.clear('edgecore') || !this.#registered) {
          this.#log.info(`registered as ${this.#mapper.name} for protocol ${this.#mapper.protocol}: ${answer.deviceList.length} devices`);
        }
        return answer;
      } catch (error) {
        if (life.aborted) return undefined;
        // An EdgeCore that says no, because it is asked too often, is there all the same.
        if (codeOf(error) === MapperErrors.edgeCoreAway) this.#loses();
        if (this.#once.say('edgecore', errorText(error))) this.#log.warn(`not registered, trying again: ${errorText(error)}`);
        // A mapper has to be back soon after EdgeCore is: the pause grows to a second at most.
        await pause(growingPause({ firstMs: Math.min(200, this.#timing.pauseMs), limitMs: Math.min(1000, this.#timing.longestPauseMs) }, attempt), life);
      }
    }
    return undefined;
  }

  /** Waits for the loss of EdgeCore, at most the given time. */
  async #untilDue(milliseconds: number, life: AbortSignal): Promise<void> {
    const lost = await Promise.race([this.#target.lost(milliseconds), aborted(life).then(() => false)]);
    if (lost && !life.aborted) this.#loses();
  }

  #loses(): void {
    if (!this.#registered) return;
    this.#registered = false;
    this.#log.warn('EdgeCore is gone; reports wait until it is back');
    this.#events.lost();
  }
}
