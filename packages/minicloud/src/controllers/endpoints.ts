import type { DraftObject } from '@edge/kubeapi';
import { sameData } from '@edge/protocol';
import { keyOf, type StoredNode, type StoredPod, type StoredService } from '../objects.js';
import { planSlices, writeSlices } from './endpoint-slices.js';
import { type Controller, type ControllerDeps, follow, listAll } from './controller.js';
import { Reconciler } from './reconciler.js';
import { isActive, isPodReady } from './replica-set-plan.js';
import { isReady } from './scheduler-plan.js';

/** One pod behind a service. */
export interface Address {
  ip: string;
  nodeName?: string;
  targetRef: { kind: 'Pod'; namespace: string; name: string; uid: string };
}

/** Pods that serve the same ports. */
export interface Subset {
  addresses?: Address[];
  notReadyAddresses?: Address[];
  ports?: { name?: string; port: number; protocol: string }[];
}

/**
 * The addresses behind a service. A pod counts while it is ready and its node is heard of.
 * @returns undefined for a service whose endpoints are somebody else's
 */
export function planEndpoints(service: StoredService, pods: readonly StoredPod[], isNodeReady: (name: string) => boolean): Subset[] | undefined {
  const selector = Object.entries(service.spec.selector ?? {});
  if (selector.length === 0) return undefined;
  const chosen = pods.filter((pod) => isActive(pod) && pod.status?.podIP && selector.every(([key, value]) => pod.metadata.labels?.[key] === value));
  const groups = new Map<string, Subset>();
  for (const pod of [...chosen].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const ports = portsOf(service, pod);
    if ((service.spec.ports ?? []).length > 0 && ports.length === 0) continue;
    const key = JSON.stringify(ports);
    const subset = groups.get(key) ?? { ...(ports.length > 0 ? { ports } : {}) };
    groups.set(key, subset);
    const counts = service.spec.publishNotReadyAddresses === true || (isPodReady(pod) && isNodeReady(pod.spec.nodeName ?? ''));
    if (counts) (subset.addresses ??= []).push(addressOf(pod));
    else (subset.notReadyAddresses ??= []).push(addressOf(pod));
  }
  return [...groups.values()];
}

function addressOf(pod: StoredPod): Address {
  const { namespace = '', name, uid } = pod.metadata;
  return { ip: pod.status?.podIP ?? '', ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}), targetRef: { kind: 'Pod', namespace, name, uid } };
}

function portsOf(service: StoredService, pod: StoredPod): NonNullable<Subset['ports']> {
  return (service.spec.ports ?? []).flatMap(({ name, port, targetPort, protocol = 'TCP' }) => {
    const target = typeof targetPort === 'string'
      ? pod.spec.containers.flatMap((container) => container.ports ?? []).find((p) => p.name === targetPort && (p.protocol ?? 'TCP') === protocol)?.containerPort
      : (targetPort ?? port);
    return target === undefined ? [] : [{ ...(name ? { name } : {}), port: target, protocol }];
  });
}

/** Keeps an Endpoints object, and EndpointSlices that say the same, for each service with a selector. */
export class EndpointsController implements Controller {
  readonly #deps: ControllerDeps;
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'endpoints', log: deps.log, reconcile: (key) => this.#reconcile(key) });
  }

  start(): void {
    const { store } = this.#deps;
    const all = (namespace?: string): void => {
      for (const service of listAll<StoredService>(store, 'services', namespace)) this.#work.enqueue(keyOf(service));
    };
    this.#stops.push(
      follow(store, 'services', (object) => this.#work.enqueue(keyOf(object))),
      follow(store, 'pods', (object, event) => {
        if (event) all(object.metadata.namespace);
      }),
      follow(store, 'nodes', (object, event) => {
        if (event?.type !== 'modified' || isReady(object as unknown as StoredNode) !== isReady(event.previous as unknown as StoredNode)) all();
      }),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  async #reconcile(key: string): Promise<void> {
    const { store, clients } = this.#deps;
    const [namespace = '', name = ''] = key.split('/');
    const service = clients.services.find(name, namespace);
    if (!service) return;
    const nodes = new Map(listAll<StoredNode>(store, 'nodes').map((node) => [node.metadata.name, isReady(node)]));
    const pods = listAll<StoredPod>(store, 'pods', namespace);
    const subsets = planEndpoints(service, pods, (node) => nodes.get(node) ?? false);
    if (!subsets) return;
    const named = new Map(pods.map(({ metadata, spec: { hostname, subdomain } }) => [metadata.name, subdomain === name && typeof hostname === 'string' ? hostname : undefined]));
    await writeSlices(clients, service, planSlices(subsets, (pod) => named.get(pod)));
    const present = clients.endpoints.find(name, namespace);
    if (!present) await clients.endpoints.create(endpointsOf(service, subsets));
    else if (!sameData(present['subsets'] ?? [], subsets)) {
      await clients.endpoints.modify(name, namespace, (copy) => {
        copy['subsets'] = subsets;
      });
    }
  }
}

function endpointsOf(service: StoredService, subsets: Subset[]): DraftObject {
  const { name, namespace = 'default', uid, labels } = service.metadata;
  return {
    apiVersion: 'v1', kind: 'Endpoints',
    metadata: { name, namespace, ...(labels ? { labels } : {}), ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true }] },
    subsets,
  };
}
