import { NodeJobActions, NodeJobTypes, type NodeJobAction, type NodeJobType } from './names.js';

/** One action of a flow and what follows it; what is not named ends the flow. */
export interface FlowStep {
  readonly action: NodeJobAction;
  readonly onSuccess?: NodeJobAction;
  readonly onFailure?: NodeJobAction;
}

const { check, waitingConfirmation, backUp, upgrade, rollBack, pull, update } = NodeJobActions;

/** The flows of upstream, first action first. Node and cloud walk the same ones. */
export const NODE_JOB_FLOWS: Readonly<Record<NodeJobType, readonly FlowStep[]>> = {
  [NodeJobTypes.upgrade]: [
    { action: check, onSuccess: waitingConfirmation },
    { action: waitingConfirmation, onSuccess: backUp },
    { action: backUp, onSuccess: upgrade },
    { action: upgrade, onFailure: rollBack },
    { action: rollBack },
  ],
  [NodeJobTypes.prePull]: [{ action: check, onSuccess: pull }, { action: pull }],
  [NodeJobTypes.configUpdate]: [
    { action: check, onSuccess: backUp },
    { action: backUp, onSuccess: update },
    { action: update, onFailure: rollBack },
    { action: rollBack },
  ],
};

/** The step of that name, undefined when the flow has none. */
export function flowStep(type: NodeJobType, action: string): FlowStep | undefined {
  return NODE_JOB_FLOWS[type].find((step) => step.action === action);
}

/** What comes after an action that ended so; undefined: that was the last one, for a node and for the cloud alike. */
export function nextAction(type: NodeJobType, action: NodeJobAction, succeeded: boolean): NodeJobAction | undefined {
  const step = flowStep(type, action);
  return succeeded ? step?.onSuccess : step?.onFailure;
}
