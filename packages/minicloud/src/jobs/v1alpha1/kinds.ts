import { isFields, type Fields } from '@edge/protocol';
import type { JobSettings } from '../types.js';

export type TaskState = 'Init' | 'Checking' | 'BackingUp' | 'Upgrading' | 'RollingBack' | 'Pulling' | 'Successful' | 'Failed';

/** How far one node has come. Members are empty until it has said something. */
export interface TaskNode {
  nodeName: string;
  state?: TaskState;
  event?: string;
  action?: string;
  /** RFC 3339. */
  time?: string;
  reason?: string;
}

/** What became of an image. */
export interface TaskImage {
  image: string;
  state: string;
  reason?: string;
}

/** A job of which the cloud drives every stage. */
export interface TaskStatus {
  state?: TaskState;
  event?: string;
  action?: string;
  time?: string;
  reason?: string;
  /** NodeUpgradeJob. */
  nodeStatus?: TaskNode[];
  /** ImagePrePullJob. */
  status?: { nodeStatus: TaskNode; imageStatus?: TaskImage[] }[];
}

/** A kind of job in v1alpha1. */
export interface TaskKind {
  readonly plural: string;
  /** Its name in messages, and their operation. */
  readonly type: 'upgrade' | 'prepull';
  readonly settings: (spec: Fields) => JobSettings;
  readonly checkItems: (spec: Fields) => unknown;
  /** `state/event/action` and the state after it, for nodes and the job alike. */
  readonly rules: Readonly<Record<string, TaskState>>;
  /** The state of nodes that have done with a stage; besides it all final ones. */
  readonly next: Readonly<Partial<Record<TaskState, TaskState>>>;
  /** What nodes are to do, as they are told in each stage but the check. */
  readonly item: (job: string, spec: Fields, history: string) => Fields;
}

export const TASKS_API = 'operations.kubeedge.io/v1alpha1';

const DEFAULT_IMAGE = 'kubeedge/installation-package';

export const TASK_KINDS: readonly TaskKind[] = [
  {
    plural: 'nodeupgradejobs', type: 'upgrade', settings: (spec) => spec, checkItems: (spec) => spec['checkItems'] ?? null,
    rules: {
      'Init/Init/Success': 'Checking', 'Init/Init/Failure': 'Failed', 'Init/TimeOut/Failure': 'Failed', 'Init/Upgrade/Success': 'Successful',
      'Checking/Check/Success': 'BackingUp', 'Checking/Check/Failure': 'Failed', 'Checking/TimeOut/Failure': 'Failed',
      'BackingUp/Backup/Success': 'Upgrading', 'BackingUp/Backup/Failure': 'Failed', 'BackingUp/TimeOut/Failure': 'Failed',
      'Upgrading/Upgrade/Success': 'Successful', 'Upgrading/Upgrade/Failure': 'Failed', 'Upgrading/TimeOut/Failure': 'Failed',
      // A node that is back where it was has not been upgraded.
      'Upgrading/Rollback/Success': 'Failed', 'Upgrading/Rollback/Failure': 'Failed', 'Init/Rollback/Success': 'Failed', 'Init/Rollback/Failure': 'Failed',
      'RollingBack/Rollback/Success': 'Failed', 'RollingBack/Rollback/Failure': 'Failed', 'RollingBack/TimeOut/Failure': 'Failed',
    },
    next: { Init: 'Checking', Checking: 'BackingUp', BackingUp: 'Upgrading', Upgrading: 'RollingBack' },
    item: (job, spec, history) => ({
      UpgradeID: job, HistoryID: history, Version: text(spec['version']), UpgradeTool: '', Image: `${repository(text(spec['image'])) || DEFAULT_IMAGE}:${text(spec['version'])}`,
      ImageDigest: isFields(spec['imageDigestGatter']) ? text(spec['imageDigestGatter']['value']) : '', RequireConfirmation: spec['requireConfirmation'] === true,
    }),
  },
  {
    plural: 'imageprepulljobs', type: 'prepull', settings: template, checkItems: (spec) => template(spec)['checkItems'] ?? null,
    rules: {
      'Init/Init/Success': 'Checking', 'Init/Init/Failure': 'Failed', 'Init/TimeOut/Failure': 'Failed',
      'Checking/Check/Success': 'Pulling', 'Checking/Check/Failure': 'Failed', 'Checking/TimeOut/Failure': 'Failed',
      'Pulling/Pull/Success': 'Successful', 'Pulling/Pull/Failure': 'Failed', 'Pulling/TimeOut/Failure': 'Failed',
    },
    next: { Init: 'Checking', Checking: 'Pulling' },
    item: (_job: string, spec: Fields): Fields => {
      const { images = null, imageSecrets = '', retryTimes = 0, checkItems = null } = template(spec);
      return { Images: images, NodeName: '', Secret: imageSecrets, RetryTimes: retryTimes, CheckItems: checkItems };
    },
  },
];

export function isFinal(state: TaskState | undefined): boolean {
  return state === 'Successful' || state === 'Failed';
}

/** The nodes of a job, wherever its kind keeps them. */
export function nodesOf(kind: TaskKind, status: TaskStatus): TaskNode[] {
  return (kind.type === 'upgrade' ? status.nodeStatus : status.status?.map(({ nodeStatus }) => nodeStatus)) ?? [];
}

/** The status with other nodes in it; what is known of their images stays. */
export function withNodes(kind: TaskKind, status: TaskStatus, nodes: readonly TaskNode[]): TaskStatus {
  if (kind.type === 'upgrade') return { ...status, nodeStatus: [...nodes] };
  return { ...status, status: nodes.map((nodeStatus) => ({ ...status.status?.find((one) => one.nodeStatus.nodeName === nodeStatus.nodeName), nodeStatus })) };
}

function template(spec: Fields): Fields {
  const found = spec['imagePrePullTemplate'];
  return isFields(found) ? found : {};
}

/** An image without tag and digest. */
function repository(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
