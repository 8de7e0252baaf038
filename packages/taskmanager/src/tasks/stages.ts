import { TaskStates, TaskTypes, type TaskState } from '@edge/protocol';

/** A stage of a job of v1alpha1: what the cloud asks for, and the event that answers it. */
export interface Stage {
  readonly state: TaskState;
  readonly event: string;
}

const { none, init, checking, backingUp, upgrading, rollingBack, pulling } = TaskStates;

const FIRST: readonly Stage[] = [
  { state: none, event: 'Init' },
  { state: init, event: 'Init' },
  { state: checking, event: 'Check' },
];

const STAGES: Readonly<Record<string, readonly Stage[]>> = {
  [TaskTypes.upgrade]: [...FIRST, { state: backingUp, event: 'Backup' }, { state: upgrading, event: 'Upgrade' }, { state: rollingBack, event: 'Rollback' }],
  [TaskTypes.prePull]: [...FIRST, { state: pulling, event: 'Pull' }],
};

/** The stage of that type and state; undefined when there is none. */
export function stageOf(type: string, state: string): Stage | undefined {
  return Object.hasOwn(STAGES, type) ? STAGES[type]?.find((stage) => stage.state === state) : undefined;
}
