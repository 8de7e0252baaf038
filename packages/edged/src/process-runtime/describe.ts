import type { ContainerFilter, PodSandbox, RuntimeContainer, RuntimeContainerStatus, SandboxFilter } from '@edge/core';
import type { ProcessContainer } from './container.js';
import { imageId } from './images.js';
import type { SandboxRecord } from './record.js';

/** True when all wanted labels are there. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([name, value]) => labels[name] === value);
}

export function describeSandbox(record: SandboxRecord): PodSandbox {
  const { metadata, labels, annotations, runtimeHandler } = record.config;
  return {
    id: record.id,
    metadata,
    state: record.stopped ? 'notready' : 'ready',
    createdAt: record.createdAt,
    labels,
    annotations,
    ...(runtimeHandler !== undefined && { runtimeHandler }),
  };
}

export function sandboxFits(sandbox: PodSandbox, filter: SandboxFilter): boolean {
  return (
    (filter.id === undefined || filter.id === sandbox.id) &&
    (filter.state === undefined || filter.state === sandbox.state) &&
    hasLabels(sandbox.labels, filter.labels)
  );
}

export function describeContainer(container: ProcessContainer): RuntimeContainer {
  const { id, sandboxId, createdAt, config } = container.record;
  const { state } = container.state;
  return {
    id,
    sandboxId,
    metadata: config.metadata,
    image: config.userSpecifiedImage || config.image,
    imageRef: imageId(config.image),
    // A command that is about to run has not run yet.
    state: state === 'starting' ? 'created' : state,
    createdAt,
    labels: config.labels,
    annotations: config.annotations,
  };
}

export function containerFits(container: RuntimeContainer, filter: ContainerFilter): boolean {
  return (
    (filter.id === undefined || filter.id === container.id) &&
    (filter.sandboxId === undefined || filter.sandboxId === container.sandboxId) &&
    (filter.state === undefined || filter.state === container.state) &&
    hasLabels(container.labels, filter.labels)
  );
}

export function describeContainerStatus(container: ProcessContainer): RuntimeContainerStatus {
  const { startedAt, outcome } = container.state;
  return {
    ...describeContainer(container),
    startedAt,
    finishedAt: outcome?.finishedAt ?? 0,
    exitCode: outcome?.exitCode ?? 0,
    reason: outcome?.reason ?? '',
    message: outcome?.message ?? '',
    logPath: container.record.logPath,
    mounts: container.record.config.mounts,
  };
}
