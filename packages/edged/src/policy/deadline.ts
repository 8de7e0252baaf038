import type { Pod, PodStatus } from '@edge/protocol';
import type { PodVerdict } from '../plan/verdict.js';

/** What happens to a pod that was active for too long. */
export const DEADLINE_EXCEEDED: PodVerdict = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than its activeDeadlineSeconds' };

/**
 * When the time of the pod is over, milliseconds since the epoch; undefined when nothing is set or it has not begun.
 * It is counted from the reported start, so a restart of the agent neither stops nor resets it.
 */
export function deadlineOf({ spec }: Pod, { startTime }: Pick<PodStatus, 'startTime'>): number | undefined {
  const { activeDeadlineSeconds } = spec;
  const start = startTime === undefined ? Number.NaN : Date.parse(startTime);
  return activeDeadlineSeconds === undefined || Number.isNaN(start) ? undefined : start + activeDeadlineSeconds * 1000;
}
