import type { Pod, PodStatus } from '@edge/protocol';
import { withConditions } from '../plan/conditions.js';
import { sortedJson } from '../plan/sorted-json.js';

/** A pod with this annotation, value `true`, waits until somebody on the spot lets it go. */
export const HOLD_ANNOTATION = 'edge.kubeedge.io/hold-upgrade';
const CONDITION = 'HeldUpgrade';

/**
 * Holds pods back: one that is new is not begun, one that is not running yet keeps its present definition, until it is
 * released. What has been begun or is to be deleted is never held.
 */
export class HoldUpgrade {
  readonly #released = new Set<string>();

  /** @param begun something of the pod was started already */
  holdsNew(pod: Pod, status: PodStatus, begun: boolean): boolean {
    return !begun && this.#isHeld(pod, status);
  }

  /** True when a change of a pod that was begun and does not run yet has to wait. */
  holdsChange(known: Pod, next: Pod, status: PodStatus): boolean {
    return this.#isHeld(next, status) && definition(known) !== definition(next);
  }

  release(uid: string): void {
    this.#released.add(uid);
  }

  forget(uid: string): void {
    this.#released.delete(uid);
  }

  #isHeld({ metadata }: Pod, status: PodStatus): boolean {
    if (metadata.annotations?.[HOLD_ANNOTATION] !== 'true' || metadata.deletionTimestamp !== undefined) return false;
    if ((status.phase ?? 'Pending') !== 'Pending' || this.#released.has(metadata.uid ?? '')) return false;
    // An agent that was restarted right after the release finds it there.
    return status.conditions?.find(({ type }) => type === CONDITION)?.status !== 'False';
  }
}

/** The status of a held pod: nothing but the wait is new. */
export function heldStatus(status: PodStatus, now: number): PodStatus {
  const held = { type: CONDITION, status: 'True' as const, reason: 'HoldUpgradeEnabled', message: `the pod waits for its release because of the annotation ${HOLD_ANNOTATION}` };
  return { ...status, phase: status.phase ?? 'Pending', conditions: withConditions(status.conditions ?? [], [held], now) };
}

/** The status without the wait, when it was held before. */
export function releasedStatus(status: PodStatus, now: number): PodStatus {
  if (status.conditions?.find(({ type }) => type === CONDITION)?.status !== 'True') return status;
  const released = { type: CONDITION, status: 'False' as const, reason: 'HoldUpgradeReleased', message: '' };
  return { ...status, conditions: withConditions(status.conditions, [released], now) };
}

/** What makes a pod another one for its node: everything but status and bookkeeping of the API. */
function definition({ metadata, spec }: Pod): string {
  return sortedJson({ spec, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} });
}
