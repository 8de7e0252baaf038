import type { ContainerFilter, PodSandbox, RuntimeContainer, SandboxFilter } from '@edge/core';
import type { MemoryContainer, MemorySandbox } from './memory-host.js';

function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

export function describeMemorySandbox({ id, config, createdAt, ready }: MemorySandbox): PodSandbox {
  const { metadata, labels, annotations, runtimeHandler } = config;
  return { id, metadata, state: ready ? 'ready' : 'notready', createdAt, labels, annotations, ...(runtimeHandler !== undefined && { runtimeHandler }) };
}

export function fitsSandbox(sandbox: PodSandbox, { id, state, labels }: SandboxFilter): boolean {
  return (id ?? sandbox.id) === sandbox.id && (state ?? sandbox.state) === sandbox.state && hasLabels(sandbox.labels, labels);
}

export function describeMemoryContainer({ id, sandboxId, config, createdAt, imageName, imageRef, run }: MemoryContainer): RuntimeContainer {
  const { metadata, labels, annotations } = config;
  return {
    id,
    sandboxId,
    metadata,
    image: imageName,
    imageRef,
    state: run.value.state,
    createdAt,
    labels,
    annotations,
  };
}

export function fitsContainer(container: RuntimeContainer, { id, sandboxId, state, labels }: ContainerFilter): boolean {
  return (
    (id ?? container.id) === container.id &&
    (sandboxId ?? container.sandboxId) === container.sandboxId &&
    (state ?? container.state) === container.state &&
    hasLabels(container.labels, labels)
  );
}
