import type { RuntimeContainerStatus } from '@edge/core';
import type { Container } from '@edge/protocol';
import { containerHash, ContainerAnnotations, restartCountOf } from './identity.js';

export const FIRST_BACKOFF_SECONDS = 10;
export const MAX_BACKOFF_SECONDS = 300;

/** What the run that ended says about the next one. */
export interface RestartDecision {
  /** Earliest time of the restart, milliseconds since the epoch. In the past: now. */
  readonly notBefore: number;
  /** Seconds that this restart has to wait after the end of the run; 0 for the first restart. */
  readonly waitSeconds: number;
  /** What the run after this restart has to wait when it ends as well. */
  readonly nextSeconds: number;
}

/**
 * Crash-loop back-off: the first restart is immediate, then 10 s, doubling to 300 s, from the end of the run. A run of
 * more than 600 s starts the row anew, and so does another image: what was wrong may have been mended. All of it follows from the container's own record, so a restart of the agent
 * forgets nothing.
 */
export function decideRestart(ended: RuntimeContainerStatus, container: Container): RestartDecision {
  const endedAt = ended.finishedAt || ended.createdAt;
  const ranLong = endedAt - ended.createdAt > 2 * MAX_BACKOFF_SECONDS * 1000;
  const recorded = ended.annotations[ContainerAnnotations.hash];
  const isChanged = recorded !== undefined && recorded !== containerHash(container);
  const waitSeconds = ranLong || isChanged ? 0 : dueWait(ended);
  const nextSeconds = waitSeconds === 0 ? FIRST_BACKOFF_SECONDS : Math.min(waitSeconds * 2, MAX_BACKOFF_SECONDS);
  return { notBefore: waitSeconds === 0 ? 0 : endedAt + waitSeconds * 1000, waitSeconds, nextSeconds };
}

function dueWait(ended: RuntimeContainerStatus): number {
  const written = Number(ended.annotations[ContainerAnnotations.backoffSeconds]);
  if (Number.isFinite(written) && written > 0) return Math.min(written, MAX_BACKOFF_SECONDS);
  // Started by another agent, which keeps the row in its memory: it follows from the number of restarts.
  const restarts = restartCountOf(ended);
  return restarts === 0 ? 0 : Math.min(FIRST_BACKOFF_SECONDS * 2 ** Math.min(restarts - 1, 10), MAX_BACKOFF_SECONDS);
}
