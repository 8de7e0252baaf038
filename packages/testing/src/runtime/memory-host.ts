import { createHash } from 'node:crypto';
import type { ContainerConfig, PodSandboxConfig, RuntimeEvent, RuntimeImage, WritableCell } from '@edge/core';
import { createCell, EdgeError } from '@edge/core';
import type { MemoryBehaviour } from './memory-behaviour.js';

/** What the machine calls things, for tests that play recorded traffic. What is undefined gets a name of its own. */
export interface MemoryNames {
  readonly containerId?: (container: ContainerConfig, sandbox: PodSandboxConfig) => string | undefined;
  readonly address?: (sandbox: PodSandboxConfig) => string | undefined;
  /** Id of an image and the name that the runtime reports for it. */
  readonly image?: (name: string) => { readonly id: string; readonly name: string } | undefined;
}

export interface MemorySandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly createdAt: number;
  readonly ip: string;
  ready: boolean;
  readonly containers: Map<string, MemoryContainer>;
}

export interface MemoryRun {
  readonly state: 'created' | 'running' | 'exited';
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

export interface MemoryContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly logPath: string;
  readonly createdAt: number;
  readonly behaviour: MemoryBehaviour;
  /** Name and id of its image as they are reported. */
  readonly imageName: string;
  readonly imageRef: string;
  readonly run: WritableCell<MemoryRun>;
}

const CREATED: MemoryRun = { state: 'created', startedAt: 0, finishedAt: 0, exitCode: 0, reason: '', message: '' };

/** The machine that the memory runtime imitates. It outlives the instances of the runtime. */
export class MemoryHost {
  readonly sandboxes = new Map<string, MemorySandbox>();
  readonly containers = new Map<string, MemoryContainer>();
  readonly images: Set<string>;
  readonly readers = new Set<(event: RuntimeEvent) => void>();
  readonly #names: MemoryNames;
  readonly #taken = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #lastId = 0;

  constructor(images: readonly string[], names: MemoryNames = {}) {
    this.images = new Set(images);
    this.#names = names;
  }

  addSandbox(config: PodSandboxConfig): MemorySandbox {
    this.#take(sandboxName(config));
    const number = this.#nextNumber();
    const sandbox = { id: idOf('sandbox', number), config, createdAt: Date.now(), ip: this.#names.address?.(config) ?? addressOf(number), ready: true, containers: new Map() };
    this.sandboxes.set(sandbox.id, sandbox);
    this.emit('created', sandbox.id);
    this.emit('started', sandbox.id);
    return sandbox;
  }

  removeSandbox(sandbox: MemorySandbox): void {
    for (const container of sandbox.containers.values()) this.removeContainer(container);
    this.sandboxes.delete(sandbox.id);
    this.#taken.delete(sandboxName(sandbox.config));
    this.emit('deleted', sandbox.id);
  }

  addContainer(sandbox: MemorySandbox, config: ContainerConfig, logDirectory: string, behaviour: MemoryBehaviour): MemoryContainer {
    this.#take(containerName(sandbox.id, config));
    const known = this.#names.image?.(config.userSpecifiedImage || config.image);
    const container: MemoryContainer = {
      id: this.#names.containerId?.(config, sandbox.config) ?? idOf('container', this.#nextNumber()),
      sandboxId: sandbox.id,
      config,
      logPath: config.logPath === '' ? '' : `${logDirectory}/${config.logPath}`,
      createdAt: Date.now(),
      behaviour,
      imageName: known?.name ?? (config.userSpecifiedImage || config.image),
      imageRef: known?.id ?? memoryImage(config.image).id,
      run: createCell(CREATED),
    };
    this.containers.set(container.id, container);
    sandbox.containers.set(container.id, container);
    this.emit('created', sandbox.id, container.id);
    return container;
  }

  removeContainer(container: MemoryContainer): void {
    this.end(container, 137);
    this.containers.delete(container.id);
    this.sandboxes.get(container.sandboxId)?.containers.delete(container.id);
    this.#taken.delete(containerName(container.sandboxId, container.config));
    this.emit('deleted', container.sandboxId, container.id);
  }

  start(container: MemoryContainer): void {
    container.run.set({ ...CREATED, state: 'running', startedAt: Date.now() });
    this.emit('started', container.sandboxId, container.id);
    const { exit } = container.behaviour;
    if (exit) this.#endLater(container, exit.code, exit.afterMs);
  }

  /** Ends a running container; one that does not run stays as it is. */
  end(container: MemoryContainer, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error', message = ''): void {
    if (container.run.value.state !== 'running') return;
    this.#finish(container, exitCode, reason, message);
  }

  failStart(container: MemoryContainer, message: string): void {
    this.#finish(container, 128, 'StartError', message);
  }

  terminate(container: MemoryContainer): void {
    const { onTerm } = container.behaviour;
    if (onTerm === 'ignored') return;
    this.#endLater(container, onTerm?.code ?? 143, onTerm?.afterMs ?? 0);
  }

  emit(type: RuntimeEvent['type'], sandboxId: string, containerId = sandboxId): void {
    for (const reader of this.readers) reader({ type, sandboxId, containerId, at: Date.now() });
  }

  /** Stops all timers; nothing ends by itself any more. */
  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #finish(container: MemoryContainer, exitCode: number, reason: string, message: string): void {
    clearTimeout(this.#timers.get(container.id));
    this.#timers.delete(container.id);
    container.run.set({ ...container.run.value, state: 'exited', finishedAt: Date.now(), exitCode, reason, message });
    this.emit('stopped', container.sandboxId, container.id);
  }

  #endLater(container: MemoryContainer, exitCode: number, afterMs: number): void {
    clearTimeout(this.#timers.get(container.id));
    this.#timers.set(container.id, setTimeout(() => this.end(container, exitCode), afterMs).unref());
  }

  #take(name: string): void {
    if (this.#taken.has(name)) throw new EdgeError('runtime.exists', `${name} exists already`);
    this.#taken.add(name);
  }

  #nextNumber(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

export function memoryImage(image: string): RuntimeImage {
  const id = image.startsWith('sha256:') ? image : `sha256:${createHash('sha256').update(image).digest('hex')}`;
  return { id, tags: image === id ? [] : [image], digests: [], sizeBytes: 0 };
}

function idOf(kind: string, number: number): string {
  return createHash('sha256').update(`${kind} ${number}`).digest('hex');
}

function addressOf(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

function sandboxName({ metadata }: PodSandboxConfig): string {
  return `sandbox ${metadata.namespace}/${metadata.name} (${metadata.uid}), attempt ${metadata.attempt}`;
}

function containerName(sandboxId: string, { metadata }: ContainerConfig): string {
  return `container ${metadata.name}, attempt ${metadata.attempt}, in sandbox ${sandboxId}`;
}
