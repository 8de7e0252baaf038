/**
 * Jobs of version v1alpha1, where the cloud asks for each stage. Go wrote these without JSON names, so members begin with
 * a capital letter.
 */

/** What the cloud asks: operation is the type, resource `<type>/<job>/node/<node>`. */
export interface NodeTaskRequest {
  readonly TaskID: string;
  readonly Type: string;
  /** Of `TaskStates`. */
  readonly State: string;
  readonly Item: unknown;
}

/** What the node says: resource `task/<job>/node/<node>`; members in the order of the wire. */
export interface NodeTaskResponse {
  readonly NodeName: string;
  /** Always empty. */
  readonly State: string;
  readonly Event: string;
  readonly Action: 'Success' | 'Failure' | 'Confirmation';
  readonly Reason: string;
  /** Always empty. */
  readonly Time: string;
  /** The list of images as JSON text, or empty. */
  readonly ExternalMessage: string;
}

export const TaskTypes = { upgrade: 'upgrade', prePull: 'prepull' } as const;

/** `State` of a request: the stage that is to be done. The empty one means the first, too. */
export const TaskStates = {
  none: '',
  init: 'Init',
  checking: 'Checking',
  backingUp: 'BackingUp',
  upgrading: 'Upgrading',
  rollingBack: 'RollingBack',
  pulling: 'Pulling',
} as const;

export type TaskState = (typeof TaskStates)[keyof typeof TaskStates];

/** How an image came out in `ExternalMessage`. */
export interface TaskImageStatus {
  readonly image: string;
  readonly state: 'Successful' | 'Failed';
  readonly reason?: string;
}
