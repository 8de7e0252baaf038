import { LEASE_NAMESPACE, type KubeNode, type Lease, type OwnerReference } from '@edge/protocol';
import { micros } from './time.js';

export interface LeaseInput {
  readonly nodeName: string;
  readonly durationSeconds: number;
  /** The lease as the cloud has it; undefined for a new one. */
  readonly known: Lease | undefined;
  readonly node: KubeNode | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The lease as it is sent. Smaller than upstream's: the managed fields (two thirds of it) are left out, an update without
 * them leaves them as they are.
 */
export function leaseBody(input: LeaseInput): Lease {
  const { known, node, nodeName, durationSeconds, now } = input;
  const owners = known?.metadata.ownerReferences ?? ownerOf(node);
  const owner = owners.length === 0 ? {} : { ownerReferences: owners };
  return {
    metadata:
      known?.metadata.resourceVersion === undefined
        ? { name: nodeName, namespace: LEASE_NAMESPACE, creationTimestamp: null, ...owner }
        : { name: nodeName, namespace: LEASE_NAMESPACE, resourceVersion: known.metadata.resourceVersion, ...owner },
    spec: { ...known?.spec, holderIdentity: nodeName, leaseDurationSeconds: durationSeconds, renewTime: micros(now) },
  };
}

/** Milliseconds until the next renewal: a quarter of the duration, up to 4 % later. Pure: `random` is in [0, 1). */
export function renewalPause(durationSeconds: number, random: number): number {
  return durationSeconds * 250 * (1 + 0.04 * random);
}

function ownerOf(node: KubeNode | undefined): OwnerReference[] {
  const { name, uid } = node?.metadata ?? {};
  return name === undefined || uid === undefined ? [] : [{ apiVersion: 'v1', kind: 'Node', name, uid }];
}
