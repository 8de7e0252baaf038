import { type NodeCondition, type Taint, timestamp } from '@edge/protocol';
import { NOT_READY, UNREACHABLE } from '../api/admission.js';
import type { StoredNode } from '../objects.js';

/** What is to be changed on a node; members that are undefined stay as they are. */
export interface NodePlan {
  readonly taints: Taint[] | undefined;
  readonly conditions: NodeCondition[] | undefined;
}

const OWN_KEYS: readonly string[] = [NOT_READY, UNREACHABLE];

/**
 * Decides what a node's state says to the rest of the cluster. A node that is not heard of becomes Unknown; its own
 * next report makes it Ready again. The taints follow the Ready condition.
 * @param silent whether the node has not been heard of for the time of grace
 */
export function planNode(node: StoredNode, silent: boolean, now: number): NodePlan {
  const present = node.status?.conditions ?? [];
  const conditions = silent ? present.map((condition) => unknown(condition, now)) : present;
  if (silent && !present.some((condition) => condition.type === 'Ready')) conditions.push(unknown({ type: 'Ready', status: 'False' }, now));
  const ready = conditions.find((condition) => condition.type === 'Ready')?.status;
  const wanted = ready === 'True' ? [] : [taint(ready === 'Unknown' ? UNREACHABLE : NOT_READY, node, now)];
  const foreign = (node.spec.taints ?? []).filter((t) => !OWN_KEYS.includes(t.key));
  const taints = [...foreign, ...wanted];
  return {
    conditions: conditions.every((condition, index) => condition === present[index]) && conditions.length === present.length ? undefined : conditions,
    taints: same(taints, node.spec.taints ?? []) ? undefined : taints,
  };
}

function unknown(condition: NodeCondition, now: number): NodeCondition {
  if (condition.status === 'Unknown') return condition;
  return { ...condition, status: 'Unknown', lastTransitionTime: timestamp(now), reason: 'NodeStatusUnknown', message: 'the node has stopped renewing its lease' };
}

function taint(key: string, node: StoredNode, now: number): Taint {
  const present = node.spec.taints?.find((t) => t.key === key && t.effect === 'NoSchedule');
  return present ?? { key, effect: 'NoSchedule', ...(key === UNREACHABLE ? { timeAdded: timestamp(now) } : {}) };
}

function same(a: readonly Taint[], b: readonly Taint[]): boolean {
  return a.length === b.length && a.every((t, index) => t.key === b[index]?.key && t.effect === b[index]?.effect && t.value === b[index]?.value);
}
