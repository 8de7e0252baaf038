import type { PodCondition } from '@edge/protocol';

/** The node itself decides that a pod ends: with phase `Failed` once nothing of it runs any more. */
export interface PodVerdict {
  /** `Evicted`, `DeadlineExceeded`, `OutOfcpu`, … */
  readonly reason: string;
  readonly message: string;
  /** Instead of the pod's own. */
  readonly graceSeconds?: number;
  /** Told at once, for example `DisruptionTarget`. */
  readonly conditions?: readonly Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>[];
}
