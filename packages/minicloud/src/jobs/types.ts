import type { KubeObject } from '@edge/kubeapi';
import type { Fields } from '@edge/protocol';
import type { LabelSelector } from '../objects.js';

export type JobPhase = 'Init' | 'InProgress' | 'Completed' | 'Failure';
export type NodePhase = 'Pending' | 'InProgress' | 'Successful' | 'Failure' | 'Unknown';

/** One finished action of a node. */
export interface ActionStatus {
  action: string;
  status: 'True' | 'False';
  reason?: string;
  /** RFC 3339. */
  time: string;
}

/** How far one node has come. */
export interface NodeTask {
  actionFlow?: ActionStatus[];
  nodeName: string;
  phase: NodePhase;
  reason?: string;
  /** NodeUpgradeJob: the version before, and the one that runs now. */
  historicVersion?: string;
  currentVersion?: string;
  /** ImagePrePullJob: what became of each image. */
  imageStatus?: { image: string; status: string; reason?: string }[];
}

export interface JobStatus {
  phase: JobPhase;
  nodeStatus?: NodeTask[];
  reason?: string;
}

/** Which nodes, how many at a time, how long: what all kinds of jobs have. */
export interface JobSettings {
  readonly nodeNames?: readonly string[];
  readonly labelSelector?: LabelSelector;
  readonly concurrency?: number;
  /** Share of nodes that may fail, 0 to 1, as text. */
  readonly failureTolerate?: string;
  /** Since the last sign of a node; 0 and nothing mean for ever. */
  readonly timeoutSeconds?: number;
}

export interface StoredJob extends KubeObject {
  spec: Fields;
  status?: JobStatus;
}
