import type { Pod, PodStatus } from '@edge/protocol';
import type { ActualPod } from '../plan/actual.js';
import { isTerminalPhase } from '../plan/containers.js';
import type { PodVerdict } from '../plan/verdict.js';

/** A pod of the node as the agent has it. */
export interface PodRecord {
  readonly pod: Pod;
  /** The status that was computed last, or what the API has. */
  readonly status: PodStatus;
  /** It was told to end, by the cloud or by a verdict. */
  readonly terminating: boolean;
  /** It was taken from this node; what is left of it is being removed. */
  readonly removed: boolean;
}

/** The pods of the node, for those who answer questions about them. */
export interface PodsView {
  list(): readonly PodRecord[];
  find(namespace: string, name: string): PodRecord | undefined;
  byUid(uid: string): PodRecord | undefined;
  /** What the runtime has of a pod now. */
  observe(uid: string, signal: AbortSignal): Promise<ActualPod>;
}

/** What other parts of the kubelet may do to a pod. Unknown uids are ignored: the pod has gone meanwhile. */
export interface PodControl {
  /** The first verdict on a pod counts. */
  fail(uid: string, verdict: PodVerdict): void;
  /** Something that the pod waits for may have changed. */
  wake(uid: string): void;
}

/** True when nothing of it runs any more, or it has gone from this node. */
export function hasEnded({ removed, status }: PodRecord): boolean {
  return removed || isTerminalPhase(status.phase);
}
