import { sameData } from '@edge/protocol';
import type { DraftObject } from '@edge/kubeapi';
import type { Clients, StoredService } from '../objects.js';
import type { Address, Subset } from './endpoints.js';

/** Endpoints in one slice, as in Kubernetes. */
const MOST = 100;

/** What of a slice is kept in step. */
export interface Slice {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
  readonly ports: NonNullable<Subset['ports']>;
}

/**
 * The same as an Endpoints object says, in slices: one for each family and each set of ports, more where there are many.
 * @param hostnameOf a pod's own name among those behind the service
 */
export function planSlices(subsets: readonly Subset[], hostnameOf: (pod: string) => string | undefined): Slice[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const all = [...addresses.map((address) => ({ address, ready: true })), ...notReadyAddresses.map((address) => ({ address, ready: false }))];
    return (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
      const own = all.filter(({ address: { ip } }) => ip.includes(':') === (addressType === 'IPv6'));
      return Array.from({ length: Math.ceil(own.length / MOST) }, (_, part) => ({
        addressType, ports, endpoints: own.slice(part * MOST, (part + 1) * MOST).map(({ address, ready }) => endpointOf(address, ready, hostnameOf(address.targetRef.name))),
      }));
    });
  });
}

function endpointOf({ ip, nodeName, targetRef }: Address, ready: boolean, hostname: string | undefined): Readonly<Record<string, unknown>> {
  return { addresses: [ip], conditions: { ready, serving: ready, terminating: false }, ...(hostname ? { hostname } : {}), ...(nodeName ? { nodeName } : {}), targetRef };
}

/** Brings a service's slices in step with the plan. Their names are numbered, and there are no others. */
export async function writeSlices(clients: Clients, service: StoredService, plan: readonly Slice[]): Promise<void> {
  const { name, namespace = 'default' } = service.metadata;
  for (const [index, slice] of plan.entries()) {
    const present = clients.endpointSlices.find(sliceName(name, index), namespace);
    if (!present) await clients.endpointSlices.create(sliceOf(service, index, slice));
    else if (!sameData(contentOf(present as unknown as Slice), contentOf(slice)) || present.metadata.ownerReferences?.[0]?.uid !== service.metadata.uid) {
      await clients.endpointSlices.modify(sliceName(name, index), namespace, (copy) => {
        Object.assign(copy, contentOf(slice));
        copy.metadata.ownerReferences = ownersOf(service);
      });
    }
  }
  for (let index = plan.length; clients.endpointSlices.find(sliceName(name, index), namespace); index += 1) await clients.endpointSlices.delete(sliceName(name, index), namespace);
}

const sliceName = (service: string, index: number): string => `${service}-m${index}`;
const contentOf = ({ addressType, endpoints, ports }: Slice): Slice => ({ addressType, endpoints, ports });
const ownersOf = ({ metadata: { name, uid } }: StoredService): NonNullable<StoredService['metadata']['ownerReferences']> => [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true }];

function sliceOf(service: StoredService, index: number, slice: Slice): DraftObject {
  const { name, namespace = 'default' } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice',
    metadata: {
      name: sliceName(name, index), namespace,
      labels: { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io', ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}) },
      ownerReferences: ownersOf(service),
    },
    ...contentOf(slice),
  };
}
