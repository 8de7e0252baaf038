import type { Pod } from '@edge/protocol';
import { heldStatus, type HoldUpgrade } from '../hold/hold-upgrade.js';
import type { ActualPod } from '../plan/actual.js';
import { isTerminalPhase } from '../plan/containers.js';
import type { PodVerdict } from '../plan/verdict.js';
import type { Admission } from '../policy/admission.js';
import { DEADLINE_EXCEEDED, deadlineOf } from '../policy/deadline.js';
import type { PodEvents } from './pod-events.js';
import type { PodStatuses } from './pod-statuses.js';

/** Between questions whether room has been made. */
const ADMISSION_POLL_MS = 500;

export interface PodGateDeps {
  readonly uid: string;
  readonly statuses: PodStatuses;
  readonly events: PodEvents;
  readonly admission: Pick<Admission, 'admit' | 'forget'>;
  readonly hold: HoldUpgrade;
}

/** Whether work on a pod may go on; `askAt` in milliseconds since the epoch, undefined: when something happens. */
export type GateAnswer = 'open' | { readonly shut: true; readonly askAt?: number } | { readonly verdict: PodVerdict };

/** What comes before all work on a pod: it may have to wait, it may not be allowed here, or its time may be over. */
export class PodGate {
  readonly #deps: PodGateDeps;
  #isBegun = false;
  #deadline = Infinity;

  constructor(deps: PodGateDeps) {
    this.#deps = deps;
  }

  /** The pod was admitted here, now or before an earlier end of the agent. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** When the pod's time is over, milliseconds since the epoch; infinite for never. */
  get deadline(): number {
    return this.#deadline;
  }

  ask(pod: Pod, actual: ActualPod): GateAnswer {
    const { statuses, uid, hold, admission, events } = this.#deps;
    const status = statuses.previous(uid);
    this.#deadline = Infinity;
    if (isTerminalPhase(status.phase)) return 'open';
    this.#isBegun ||= actual.sandboxes.length + actual.containers.length > 0 || status.startTime !== undefined;
    if (hold.holdsNew(pod, status, this.#isBegun)) {
      statuses.set(uid, heldStatus(status, Date.now()));
      return { shut: true };
    }
    const answer = admission.admit(pod, this.#isBegun);
    if (answer === 'wait') return { shut: true, askAt: Date.now() + ADMISSION_POLL_MS };
    if (answer !== 'admitted') {
      events.say(pod, { type: 'Warning', reason: answer.reason, message: answer.message });
      return { verdict: answer };
    }
    this.#isBegun = true;
    const deadline = deadlineOf(pod, status) ?? Infinity;
    if (deadline > Date.now()) {
      this.#deadline = deadline;
      return 'open';
    }
    events.say(pod, { type: 'Normal', reason: DEADLINE_EXCEEDED.reason, message: DEADLINE_EXCEEDED.message });
    return { verdict: DEADLINE_EXCEEDED };
  }
}
