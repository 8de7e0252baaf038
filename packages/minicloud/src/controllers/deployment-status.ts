import { timestamp } from '@edge/protocol';
import type { Condition, StoredDeployment, StoredReplicaSet } from '../objects.js';
import { type DeploymentPlan, sizeOf } from './deployment-plan.js';

type Status = NonNullable<StoredDeployment['status']>;

/** What a Deployment's status says, from its sets as they report themselves. Zero counts are left out, as the API does. */
export function deploymentStatus(deployment: StoredDeployment, sets: readonly StoredReplicaSet[], plan: DeploymentPlan, now: number): Status {
  const count = (of: (set: StoredReplicaSet) => number | undefined, list = sets): number => list.reduce((sum, set) => sum + (of(set) ?? 0), 0);
  const replicas = count((set) => set.status?.replicas);
  const available = count((set) => set.status?.availableReplicas);
  const updated = plan.current?.status?.replicas ?? 0;
  const numbers = {
    replicas, updatedReplicas: updated, readyReplicas: count((set) => set.status?.readyReplicas), availableReplicas: available,
    unavailableReplicas: Math.max(0, count(sizeOf) - available),
  };
  const wanted = deployment.spec.replicas ?? 1;
  const isDone = updated === wanted && replicas === wanted && available === wanted;
  const before = deployment.status ?? {};
  const moved = (['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'] as const).some((field) => (before[field] ?? 0) !== numbers[field]);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value > 0)),
    conditions: [
      available >= wanted - plan.unavailable
        ? condition(before, now, 'Available', 'True', 'MinimumReplicasAvailable', 'enough replicas are available')
        : condition(before, now, 'Available', 'False', 'MinimumReplicasUnavailable', 'too few replicas are available'),
      progress(deployment, plan, { isDone, moved }, now),
    ],
  };
}

function progress(deployment: StoredDeployment, plan: DeploymentPlan, state: { isDone: boolean; moved: boolean }, now: number): Condition {
  const before = deployment.status ?? {};
  const present = before.conditions?.find((c) => c.type === 'Progressing');
  const name = plan.current?.metadata.name ?? deployment.metadata.name;
  if (state.isDone) return condition(before, now, 'Progressing', 'True', 'NewReplicaSetAvailable', `replica set ${name} is complete`);
  const isNew = before.observedGeneration !== deployment.metadata.generation;
  if (!present || state.moved || isNew) {
    return { ...condition(before, now, 'Progressing', 'True', 'ReplicaSetUpdated', `replica set ${name} is progressing`), lastUpdateTime: timestamp(now) };
  }
  // Once complete it stays complete while single pods come and go.
  if (present.reason === 'NewReplicaSetAvailable') return present;
  const patience = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
  const isLate = now - Date.parse(present.lastUpdateTime ?? '') > patience && !deployment.spec.paused;
  return isLate ? condition(before, now, 'Progressing', 'False', 'ProgressDeadlineExceeded', `replica set ${name} has made no progress for ${patience / 1000} s`) : present;
}

/** A condition whose times move only when something about it changes. */
function condition(before: Status, now: number, type: string, status: string, reason: string, message: string): Condition {
  const present = before.conditions?.find((c) => c.type === type);
  if (present?.status === status && present.reason === reason && present.message === message) return present;
  const at = timestamp(now);
  return { type, status, lastUpdateTime: at, lastTransitionTime: present?.status === status ? (present.lastTransitionTime ?? at) : at, reason, message };
}
