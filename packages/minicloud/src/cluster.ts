import { errorText, type Logger, type Store } from '@edge/core';
import { GarbageCollector, KubeApi, MemoryObjectStore } from '@edge/kubeapi';
import { deviceRules, namespaceRules, nodeTaint, podDefaults, serviceAddresses, SYSTEM_NAMESPACES } from './api/admission.js';
import { createRegistry } from './api/kinds.js';
import { StorePersistence } from './api/persistence.js';
import type { Controller, ControllerDeps } from './controllers/controller.js';
import { Deployments } from './controllers/deployments.js';
import { Devices } from './controllers/devices.js';
import { EndpointsController } from './controllers/endpoints.js';
import { EventExpiry } from './controllers/event-expiry.js';
import { EventRecorder } from './controllers/event-recorder.js';
import { NamespaceContents } from './controllers/namespace-contents.js';
import { NodeLifecycle } from './controllers/node-lifecycle.js';
import { PodCleanup } from './controllers/pod-cleanup.js';
import { ReplicaSets } from './controllers/replica-sets.js';
import { Scheduler } from './controllers/scheduler.js';
import { type Clients, createClients } from './objects.js';
import { ruleEndpointRules, ruleRules } from './router/rule-admission.js';

export interface ClusterDeps {
  readonly database: Store;
  readonly authorityPem: string;
  readonly log: Logger;
  readonly nodeGraceMs: number;
  readonly goneMs: number;
  readonly eventTtlMs: number;
}

/** The API over the database and the controllers that work on it. */
export interface Cluster {
  readonly api: KubeApi;
  readonly store: MemoryObjectStore;
  readonly clients: Clients;
  startControllers(): void;
  stop(): Promise<void>;
}

export async function openCluster(deps: ClusterDeps): Promise<Cluster> {
  const store = await MemoryObjectStore.open({ persistence: new StorePersistence({ store: deps.database }) });
  const registry = createRegistry();
  const hooks = [podDefaults, nodeTaint, serviceAddresses(() => store), namespaceRules(() => store), deviceRules, ruleEndpointRules, ruleRules(() => store)];
  const api = new KubeApi({ registry, store, hooks, garbageCollection: true });
  const clients = createClients(api);
  for (const name of [...SYSTEM_NAMESPACES, 'kubeedge']) {
    if (!clients.namespaces.find(name)) await clients.namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const collector = new GarbageCollector({ api, onError: (error) => deps.log.verbose(1, 'the garbage collector failed and will try again', { err: errorText(error) }) });
  const controllers: Controller[] = [collector, ...createControllers(deps, store, clients)];
  return {
    api, store, clients,
    startControllers: () => controllers.forEach((controller) => controller.start()),
    stop: async () => {
      await Promise.all(controllers.map((controller) => controller.stop()));
      api.close();
    },
  };
}

function createControllers(deps: ClusterDeps, store: MemoryObjectStore, clients: Clients): Controller[] {
  const { log, nodeGraceMs, goneMs, eventTtlMs, authorityPem } = deps;
  const shared: ControllerDeps = { store, clients, log, now: Date.now, events: new EventRecorder({ events: clients.events, log, now: Date.now }) };
  return [
    new NamespaceContents({ ...shared, authorityPem }),
    new NodeLifecycle({ ...shared, graceMs: nodeGraceMs }),
    new PodCleanup({ ...shared, goneMs }),
    new Scheduler(shared),
    new Deployments(shared),
    new ReplicaSets(shared),
    new EndpointsController(shared),
    new Devices(shared),
    new EventExpiry({ ...shared, ttlMs: eventTtlMs }),
  ];
}
