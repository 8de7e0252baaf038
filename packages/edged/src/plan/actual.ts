import type { PodSandboxStatus, RuntimeContainerStatus } from '@edge/core';
import { containerName } from './identity.js';

/** What the runtime has of one pod. */
export interface ActualPod {
  readonly uid: string;
  /** Newest first. */
  readonly sandboxes: readonly PodSandboxStatus[];
  /** Newest first, of all sandboxes. */
  readonly containers: readonly RuntimeContainerStatus[];
}

export const nothingThere = (uid: string): ActualPod => ({ uid, sandboxes: [], containers: [] });

/** All runs of one container of the spec, newest first. */
export function runsOf(actual: ActualPod, name: string): RuntimeContainerStatus[] {
  return actual.containers.filter((container) => containerName(container) === name);
}

/** Orders as `ActualPod` wants it. Attempts decide because clocks of edge devices jump. */
export function newestFirst<T extends { createdAt: number; metadata: { attempt: number } }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => b.metadata.attempt - a.metadata.attempt || b.createdAt - a.createdAt);
}

/** True while anything of the pod still works. */
export function anythingRuns(actual: ActualPod): boolean {
  return actual.containers.some(({ state }) => state === 'running' || state === 'unknown');
}
