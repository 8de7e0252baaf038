import { ResourceTypes, Sources } from '@edge/protocol';
import type { RemovalDecision } from './removal.js';
import type { UpsertDecision } from './upsert.js';

/** Who on the node hears of a push after it is stored. */
export type Destination = 'edged' | 'twin' | 'nobody';

const DEVICE_TYPES = new Set<string>([ResourceTypes.device, ResourceTypes.deviceModel, 'devicemapper']);

/** Picks the listener of a push. Devices go to the twin whatever controller sent them: after an outage it is another one. */
export function destinationOf(
  push: { readonly source: string; readonly type: string },
  outcome: UpsertDecision | RemovalDecision | 'buried',
): Destination {
  if (outcome === 'older' || outcome === 'foreign' || outcome === 'buried') return 'nobody';
  // The end of a namesake that is gone already says nothing about the device that has the name now.
  if (DEVICE_TYPES.has(push.type)) return outcome === 'kept' ? 'nobody' : 'twin';
  if (push.source === Sources.policyController || push.type === ResourceTypes.serviceAccountAccess) return 'nobody';
  // The node module knows its own node best; it reads the row when it needs it.
  if (push.type === ResourceTypes.node) return 'nobody';
  // Pods are told apart by uid, so the end of an old one matters even when a new one has taken its name.
  if (outcome === 'kept' && push.type !== ResourceTypes.pod) return 'nobody';
  return 'edged';
}
