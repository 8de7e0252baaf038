import type { Pod } from '@edge/protocol';
import { formatBytes, parseQuantity } from '../plan/quantity.js';
import { podLimits } from '../plan/pod-resources.js';
import type { PodUse } from './rank-pods.js';

const RESOURCE = 'ephemeral-storage';

/** True when the pod may take only so much of the disk. */
export function hasStorageLimit(pod: Pod): boolean {
  return podLimits(pod).has(RESOURCE);
}

/**
 * What the pod is told when it has taken more of the disk than it may: logs, what containers write into themselves, and
 * volumes. Undefined when it has not. Pure.
 */
export function storageExcess(pod: Pod, use: PodUse): string | undefined {
  const total = podLimits(pod).get(RESOURCE);
  if (total !== undefined && use.total > total / 1000n) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${formatBytes(total / 1000n)}. `;
  }
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.[RESOURCE];
    if (limit === undefined || (use.containers.get(name) ?? 0n) <= parseQuantity(limit) / 1000n) continue;
    return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}
