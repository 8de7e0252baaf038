import type { ConfigMap, Device, DeviceModel, DeviceStatus, KubeNode, Lease, Pod, Secret } from '@edge/protocol';
import type { KubeObject, ObjectMeta, ResourceClient } from '@edge/kubeapi';

/** An object of the protocol's types with the metadata that every stored object has. */
export type Stored<T> = Omit<T, 'metadata' | 'apiVersion' | 'kind'> & { apiVersion: string; kind: string; metadata: ObjectMeta };
export type StoredPod = Stored<Pod>;
export type StoredNode = Stored<KubeNode>;
export type StoredLease = Stored<Lease>;
export type StoredConfigMap = Stored<ConfigMap>;
export type StoredSecret = Stored<Secret>;

export interface StoredDevice extends KubeObject {
  spec: Device['spec'];
  status?: Device['status'];
}

export interface StoredDeviceModel extends KubeObject {
  spec: DeviceModel['spec'];
}

export interface StoredDeviceStatus extends KubeObject {
  spec?: Record<string, unknown>;
  status?: DeviceStatus['status'];
}

/** `apiVersion` of devices, their models and their statuses. */
export const DEVICE_API = 'devices.kubeedge.io/v1beta1';
/** Where the store keeps them. */
export const DEVICES = 'devices.kubeedge.io/devices';
export const DEVICE_MODELS = 'devices.kubeedge.io/devicemodels';
export const DEVICE_STATUSES = 'devices.kubeedge.io/devicestatuses';

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string>; [field: string]: unknown };
  spec: Pod['spec'];
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
}

export interface StoredReplicaSet extends KubeObject {
  spec: { replicas?: number; selector: LabelSelector; template: PodTemplate; minReadySeconds?: number };
  status?: { replicas: number; fullyLabeledReplicas?: number; readyReplicas?: number; availableReplicas?: number; observedGeneration?: number };
}

export interface StoredDeployment extends KubeObject {
  spec: {
    replicas?: number;
    selector: LabelSelector;
    template: PodTemplate;
    paused?: boolean;
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
    progressDeadlineSeconds?: number;
    strategy?: { type?: string; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } };
  };
  status?: {
    observedGeneration?: number; replicas?: number; updatedReplicas?: number; readyReplicas?: number; availableReplicas?: number;
    unavailableReplicas?: number; conditions?: Condition[];
  };
}

export interface StoredService extends KubeObject {
  spec: {
    type?: string;
    selector?: Record<string, string>;
    clusterIP?: string;
    clusterIPs?: string[];
    publishNotReadyAddresses?: boolean;
    ports?: { name?: string; port: number; targetPort?: number | string; protocol?: string; nodePort?: number }[];
    [field: string]: unknown;
  };
}

/** The API's clients that this package works with. */
export interface Clients {
  readonly pods: ResourceClient<StoredPod>;
  readonly nodes: ResourceClient<StoredNode>;
  readonly leases: ResourceClient<StoredLease>;
  readonly configMaps: ResourceClient<StoredConfigMap>;
  readonly secrets: ResourceClient<StoredSecret>;
  readonly events: ResourceClient;
  readonly namespaces: ResourceClient;
  readonly services: ResourceClient<StoredService>;
  readonly endpoints: ResourceClient;
  readonly endpointSlices: ResourceClient;
  readonly serviceAccounts: ResourceClient;
  readonly deployments: ResourceClient<StoredDeployment>;
  readonly replicaSets: ResourceClient<StoredReplicaSet>;
  readonly devices: ResourceClient<StoredDevice>;
  readonly deviceStatuses: ResourceClient<StoredDeviceStatus>;
}

/** Anything that gives clients by API version and plural name: a `KubeApi`. */
export interface ClientSource {
  resource<T = KubeObject>(apiVersion: string, plural: string): ResourceClient<T>;
}

export function createClients(api: ClientSource): Clients {
  return {
    pods: api.resource('v1', 'pods'),
    nodes: api.resource('v1', 'nodes'),
    leases: api.resource('coordination.k8s.io/v1', 'leases'),
    configMaps: api.resource('v1', 'configmaps'),
    secrets: api.resource('v1', 'secrets'),
    events: api.resource('v1', 'events'),
    namespaces: api.resource('v1', 'namespaces'),
    services: api.resource('v1', 'services'),
    endpoints: api.resource('v1', 'endpoints'),
    endpointSlices: api.resource('discovery.k8s.io/v1', 'endpointslices'),
    serviceAccounts: api.resource('v1', 'serviceaccounts'),
    deployments: api.resource('apps/v1', 'deployments'),
    replicaSets: api.resource('apps/v1', 'replicasets'),
    devices: api.resource(DEVICE_API, 'devices'),
    deviceStatuses: api.resource(DEVICE_API, 'devicestatuses'),
  };
}

/** `namespace/name`, the key of a namespaced object. */
export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
