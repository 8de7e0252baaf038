/** Group and version of node jobs whose flow the node walks by itself, as their resources begin. */
export const NODE_JOBS_API = 'operations.kubeedge.io/v1alpha2';

/** Type segment of a node job's resource. */
export const NodeJobTypes = {
  upgrade: 'nodeupgradejob',
  prePull: 'imageprepulljob',
  configUpdate: 'configupdatejob',
} as const;

export type NodeJobType = (typeof NodeJobTypes)[keyof typeof NodeJobTypes];

/** What a node does for a job; operation of the cloud's message and `action` of the reports. */
export const NodeJobActions = {
  check: 'Check',
  waitingConfirmation: 'WaitingConfirmation',
  backUp: 'BackUp',
  upgrade: 'Upgrade',
  rollBack: 'RollBack',
  pull: 'Pull',
  update: 'Update',
} as const;

export type NodeJobAction = (typeof NodeJobActions)[keyof typeof NodeJobActions];

export function isNodeJobType(text: string): text is NodeJobType {
  return (Object.values(NodeJobTypes) as string[]).includes(text);
}
