import type {
  ContainerRunState,
  ContainerStats,
  ImageFilesystem,
  Mount,
  PodMetadata,
  PodSandbox,
  PodSandboxStatus,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeEvent,
  RuntimeImage,
  RuntimeStatus,
} from '@edge/core';
import * as wire from '../generated/api.js';
import { given, milliseconds } from './values.js';

// Lists are read every second for as long as the node lives, so labels and annotations are handed on, not copied.

export function runtimeStatus(answer: wire.StatusResponse): RuntimeStatus {
  const conditions = answer.status?.conditions ?? [];
  if (answer.runtimeHandlers.length === 0) return { conditions };
  const handlers = answer.runtimeHandlers.map(({ name, features }) => ({
    name,
    recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts ?? false,
    userNamespaces: features?.userNamespaces ?? false,
  }));
  return { conditions, handlers };
}

export function podSandbox(sandbox: wire.PodSandbox | wire.PodSandboxStatus): PodSandbox {
  return {
    id: sandbox.id,
    metadata: sandbox.metadata ?? NO_POD,
    state: sandbox.state === wire.PodSandboxState.SANDBOX_READY ? 'ready' : 'notready',
    createdAt: milliseconds(sandbox.createdAt),
    labels: sandbox.labels,
    annotations: sandbox.annotations,
    ...(sandbox.runtimeHandler !== '' && { runtimeHandler: sandbox.runtimeHandler }),
  };
}

export function podSandboxStatus(status: wire.PodSandboxStatus): PodSandboxStatus {
  const { ip = '', additionalIps = [] } = status.network ?? {};
  return {
    ...podSandbox(status),
    ips: [ip, ...additionalIps.map((more) => more.ip)].filter((address) => address !== ''),
    hostNetwork: status.linux?.namespaces?.options?.network === wire.NamespaceMode.NODE,
  };
}

export function runtimeContainer(container: wire.Container): RuntimeContainer {
  return {
    id: container.id,
    sandboxId: container.podSandboxId,
    metadata: container.metadata ?? NO_CONTAINER,
    image: container.image?.image ?? '',
    imageRef: container.imageRef,
    state: STATES[container.state] ?? 'unknown',
    createdAt: milliseconds(container.createdAt),
    labels: container.labels,
    annotations: container.annotations,
  };
}

/** A status does not say which sandbox the container belongs to. */
export function containerStatus(status: wire.ContainerStatus, sandboxId: string): RuntimeContainerStatus {
  return {
    id: status.id,
    sandboxId,
    metadata: status.metadata ?? NO_CONTAINER,
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    state: STATES[status.state] ?? 'unknown',
    createdAt: milliseconds(status.createdAt),
    startedAt: milliseconds(status.startedAt),
    finishedAt: milliseconds(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    labels: status.labels,
    annotations: status.annotations,
    logPath: status.logPath,
    mounts: status.mounts.map(mount),
  };
}

export function runtimeImage(image: wire.Image): RuntimeImage {
  return {
    id: image.id,
    tags: image.repoTags,
    digests: image.repoDigests,
    sizeBytes: Number(image.size),
    ...given('uid', image.uid),
    ...(image.username !== '' && { username: image.username }),
    pinned: image.pinned,
  };
}

export function containerStats(stats: wire.ContainerStats): ContainerStats {
  const { attributes, cpu, memory, writableLayer } = stats;
  return {
    id: attributes?.id ?? '',
    labels: attributes?.labels ?? {},
    metadata: attributes?.metadata ?? NO_CONTAINER,
    at: milliseconds(cpu?.timestamp ?? memory?.timestamp ?? 0n),
    ...given('cpuNanoseconds', cpu?.usageCoreNanoSeconds),
    ...given('memoryWorkingSetBytes', memory?.workingSetBytes),
    ...given('memoryUsageBytes', memory?.usageBytes),
    ...given('memoryRssBytes', memory?.rssBytes),
    ...given('memoryPageFaults', memory?.pageFaults),
    ...given('memoryMajorPageFaults', memory?.majorPageFaults),
    ...(writableLayer && { writableLayer: filesystemUse(writableLayer) }),
  };
}

export function imageFilesystem(use: wire.FilesystemUsage): ImageFilesystem {
  return { mountpoint: use.fsId?.mountpoint ?? '', ...filesystemUse(use) };
}

function filesystemUse(use: wire.FilesystemUsage): { usedBytes: number; inodesUsed: number } {
  return { usedBytes: Number(use.usedBytes?.value ?? 0n), inodesUsed: Number(use.inodesUsed?.value ?? 0n) };
}

const EVENTS = {
  [wire.ContainerEventType.CONTAINER_CREATED_EVENT]: 'created',
  [wire.ContainerEventType.CONTAINER_STARTED_EVENT]: 'started',
  [wire.ContainerEventType.CONTAINER_STOPPED_EVENT]: 'stopped',
  [wire.ContainerEventType.CONTAINER_DELETED_EVENT]: 'deleted',
} as const;

export function runtimeEvent(event: wire.ContainerEventResponse): RuntimeEvent {
  const { containerId } = event;
  return { type: EVENTS[event.containerEventType], containerId, sandboxId: event.podSandboxStatus?.id ?? containerId, at: milliseconds(event.createdAt) };
}

const STATES: Readonly<Record<wire.ContainerState, ContainerRunState>> = {
  [wire.ContainerState.CONTAINER_CREATED]: 'created',
  [wire.ContainerState.CONTAINER_RUNNING]: 'running',
  [wire.ContainerState.CONTAINER_EXITED]: 'exited',
  [wire.ContainerState.CONTAINER_UNKNOWN]: 'unknown',
};

const PROPAGATIONS: Readonly<Record<wire.MountPropagation, Mount['propagation']>> = {
  [wire.MountPropagation.PROPAGATION_PRIVATE]: 'private',
  [wire.MountPropagation.PROPAGATION_HOST_TO_CONTAINER]: 'hostToContainer',
  [wire.MountPropagation.PROPAGATION_BIDIRECTIONAL]: 'bidirectional',
};

const NO_POD: PodMetadata = { name: '', namespace: '', uid: '', attempt: 0 };
const NO_CONTAINER = { name: '', attempt: 0 };

function mount(from: wire.Mount): Mount {
  return {
    containerPath: from.containerPath,
    hostPath: from.hostPath,
    readOnly: from.readonly,
    propagation: PROPAGATIONS[from.propagation] ?? 'private',
    recursiveReadOnly: from.recursiveReadOnly,
    selinuxRelabel: from.selinuxRelabel,
  };
}
