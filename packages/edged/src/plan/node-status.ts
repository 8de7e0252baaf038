import type { RuntimeHandler } from '@edge/core';
import type { KubeNode, NodeAddress, NodeCondition, NodeStatus } from '@edge/protocol';
import type { NodeImage } from '../images/node-images.js';
import type { Pressure } from '../policy/pressure.js';
import { nodeResources, type MachineResources, type ResourceRules } from './node-resources.js';
import { seconds } from './time.js';

/** What does not change while the machine runs. */
export interface MachineIdentity {
  readonly machineID: string;
  readonly systemUUID: string;
  readonly bootID: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** Go's name: `amd64`, `arm64`, `arm`. */
  readonly architecture: string;
  /** Go's name: `linux`. */
  readonly operatingSystem: string;
}

export interface NodeStatusInput {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly identity: MachineIdentity;
  readonly resources: MachineResources;
  readonly rules: ResourceRules;
  /** Version of the agent, `v1.23.1` style. */
  readonly agentVersion: string;
  /** `containerd://1.7.27`. */
  readonly runtimeVersion: string;
  /** Why the node cannot run pods; empty when it can. */
  readonly notReady: readonly string[];
  /** Images to tell of; undefined for none. */
  readonly images?: NodeImage[] | undefined;
  readonly pressure: ReadonlySet<Pressure>;
  /** Kinds of sandboxes that the runtime offers, when it says so. */
  readonly handlers?: readonly RuntimeHandler[];
  /** Conditions as known until now, for the times of their last change. */
  readonly previous: readonly NodeCondition[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Release of Kubernetes whose kubelet's behaviour on the wire this is. */
export const KUBERNETES_VERSION = 'v1.32.10';

/** The members of a node's status that the node itself reports again and again. */
export type ReportedNodeStatus = Required<Pick<NodeStatus, 'capacity' | 'allocatable' | 'conditions' | 'addresses' | 'nodeInfo'>> &
  Pick<NodeStatus, 'runtimeHandlers'> & { readonly images?: NodeImage[] };

/** The status of the node. Pure. */
export function nodeStatus(input: NodeStatusInput): ReportedNodeStatus {
  return {
    ...nodeResources(input.resources, input.rules),
    conditions: nodeConditions(input),
    addresses: [
      ...input.addresses.map((address): NodeAddress => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: input.name },
    ],
    nodeInfo: {
      machineID: input.identity.machineID,
      systemUUID: input.identity.systemUUID,
      bootID: input.identity.bootID,
      kernelVersion: input.identity.kernelVersion,
      osImage: input.identity.osImage,
      containerRuntimeVersion: input.runtimeVersion,
      kubeletVersion: `${KUBERNETES_VERSION}-kubeedge-${input.agentVersion}`,
      // There is none on an edge node; the field must be there.
      kubeProxyVersion: '',
      operatingSystem: input.identity.operatingSystem,
      architecture: input.identity.architecture,
    },
    ...(input.images === undefined ? {} : { images: input.images }),
    ...(input.handlers && input.handlers.length > 0 ? { runtimeHandlers: runtimeHandlers(input.handlers) } : {}),
  };
}

/** By name, so that a runtime that lists them in another order has nothing new to say. */
function runtimeHandlers(handlers: readonly RuntimeHandler[]): unknown[] {
  return [...handlers]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, recursiveReadOnlyMounts, userNamespaces }) => ({ name, features: { recursiveReadOnlyMounts, userNamespaces } }));
}

/** Text of the Ready condition of a node without a runtime. */
export function notReadyMessage(reasons: readonly string[]): string {
  return reasons.join('; ');
}

function nodeConditions({ notReady, pressure, previous, now }: NodeStatusInput): NodeCondition[] {
  const ready = notReady.length === 0;
  const short = (condition: Pressure): boolean => pressure.has(condition);
  const findings: Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>[] = [
    short('MemoryPressure')
      ? { type: 'MemoryPressure', status: 'True', reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' }
      : { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    short('DiskPressure')
      ? { type: 'DiskPressure', status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    short('PIDPressure')
      ? { type: 'PIDPressure', status: 'True', reason: 'KubeletHasInsufficientPID', message: 'kubelet has insufficient PID available' }
      : { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    ready
      ? { type: 'Ready', status: 'True', reason: 'EdgeReady', message: 'edge is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: notReadyMessage(notReady) },
  ];
  return findings.map((finding) => {
    const before = previous.find(({ type }) => type === finding.type);
    const since = before?.status === finding.status ? before.lastTransitionTime : undefined;
    const { type, status, ...why } = finding;
    return { type, status, lastHeartbeatTime: seconds(now), lastTransitionTime: since ?? seconds(now), ...why };
  });
}

export interface NodeObjectInput {
  readonly name: string;
  readonly architecture: string;
  readonly operatingSystem: string;
  /** `modules.edged.nodeLabels`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: NonNullable<KubeNode['spec']['taints']>;
  readonly schedulable: boolean;
  /** Port of the local kubelet API. */
  readonly port: number;
  readonly status: ReportedNodeStatus;
}

/** Labels that the node gives itself. */
export function nodeLabels({ name, architecture, operatingSystem, labels }: Pick<NodeObjectInput, 'name' | 'architecture' | 'operatingSystem' | 'labels'>): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': operatingSystem,
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': operatingSystem,
    'node-role.kubernetes.io/agent': '',
    'node-role.kubernetes.io/edge': '',
    ...labels,
  };
}

export const NODE_ANNOTATIONS: Readonly<Record<string, string>> = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' };

/** The Node object as the node registers it. */
export function nodeObject(input: NodeObjectInput): KubeNode {
  const { name, schedulable, port, status } = input;
  const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const };
  const taints = schedulable ? input.taints : [...input.taints, unschedulable];
  return {
    metadata: { name, creationTimestamp: null, labels: nodeLabels(input), annotations: { ...NODE_ANNOTATIONS } },
    spec: { ...(taints.length === 0 ? {} : { taints: [...taints] }), ...(schedulable ? {} : { unschedulable: true }) },
    status: {
      capacity: status.capacity,
      allocatable: status.allocatable,
      conditions: status.conditions,
      addresses: status.addresses,
      // Only here: the cloud rewrites the port for its tunnel, and a patch must never put it back.
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      nodeInfo: status.nodeInfo,
      ...(status.images === undefined ? {} : { images: status.images }),
      ...(status.runtimeHandlers ? { runtimeHandlers: status.runtimeHandlers } : {}),
    },
  };
}
