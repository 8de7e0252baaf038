import type { ContainerConfig, ContainerFilter, PodSandboxConfig } from '@edge/core';
import { EdgeError } from '@edge/core';
import type { ProcessContainer } from './container.js';
import { notFound, RuntimeErrors } from './errors.js';
import type { SandboxRecord } from './record.js';

/** All sandboxes and containers, and the names that they take. In memory, so that lists cost nothing but their length. */
export class Registry {
  readonly #sandboxes = new Map<string, SandboxRecord>();
  readonly #containers = new Map<string, ProcessContainer>();
  readonly #bySandbox = new Map<string, Set<ProcessContainer>>();
  /** Names in use, and those of what is being made. */
  readonly #names = new Set<string>();

  get sandboxes(): SandboxRecord[] {
    return [...this.#sandboxes.values()];
  }

  get containers(): ProcessContainer[] {
    return [...this.#containers.values()];
  }

  findSandbox(id: string): SandboxRecord | undefined {
    return this.#sandboxes.get(id);
  }

  /** Throws `runtime.not-found`. */
  sandbox(id: string): SandboxRecord {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) throw notFound('sandbox', id);
    return sandbox;
  }

  /** Throws `runtime.not-found`, and `runtime.sandbox-not-ready` when it was stopped. */
  readySandbox(id: string): SandboxRecord {
    const sandbox = this.sandbox(id);
    if (sandbox.stopped) throw new EdgeError(RuntimeErrors.sandboxNotReady, `sandbox ${id} is not ready`);
    return sandbox;
  }

  findContainer(id: string): ProcessContainer | undefined {
    return this.#containers.get(id);
  }

  /** Throws `runtime.not-found`. */
  container(id: string): ProcessContainer {
    const container = this.#containers.get(id);
    if (!container) throw notFound('container', id);
    return container;
  }

  containersOf(sandboxId: string): ProcessContainer[] {
    return [...(this.#bySandbox.get(sandboxId) ?? [])];
  }

  /** The containers that can fit a filter, by the shortest way. */
  candidates(filter: ContainerFilter): ProcessContainer[] {
    if (filter.id !== undefined) {
      const container = this.#containers.get(filter.id);
      return container ? [container] : [];
    }
    return filter.sandboxId === undefined ? this.containers : this.containersOf(filter.sandboxId);
  }

  /** Takes a name while something is being made; throws `runtime.exists`. Returns how to give it back. */
  reserve(name: string): () => void {
    if (this.#names.has(name)) throw new EdgeError(RuntimeErrors.exists, `${name} exists already`);
    this.#names.add(name);
    return () => this.#names.delete(name);
  }

  /** Adds a sandbox or replaces its record. */
  putSandbox(record: SandboxRecord): void {
    this.#sandboxes.set(record.id, record);
    if (!this.#bySandbox.has(record.id)) this.#bySandbox.set(record.id, new Set());
    this.#names.add(sandboxName(record.config));
  }

  deleteSandbox(record: SandboxRecord): void {
    this.#sandboxes.delete(record.id);
    this.#bySandbox.delete(record.id);
    this.#names.delete(sandboxName(record.config));
  }

  addContainer(container: ProcessContainer): void {
    const { id, sandboxId, config } = container.record;
    this.#containers.set(id, container);
    this.#bySandbox.get(sandboxId)?.add(container);
    this.#names.add(containerName(sandboxId, config));
  }

  /** False when it was gone. */
  deleteContainer(container: ProcessContainer): boolean {
    const { id, sandboxId, config } = container.record;
    if (!this.#containers.delete(id)) return false;
    this.#bySandbox.get(sandboxId)?.delete(container);
    this.#names.delete(containerName(sandboxId, config));
    return true;
  }
}

export function sandboxName({ metadata }: PodSandboxConfig): string {
  return `sandbox ${metadata.namespace}/${metadata.name} (${metadata.uid}), attempt ${metadata.attempt}`;
}

export function containerName(sandboxId: string, { metadata }: ContainerConfig): string {
  return `container ${metadata.name}, attempt ${metadata.attempt}, in sandbox ${sandboxId}`;
}
