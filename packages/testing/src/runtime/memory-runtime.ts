import type {
  ContainerConfig,
  ContainerFilter,
  ContainerRuntime,
  ExecResult,
  ImageAuth,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeEvent,
  RuntimeImage,
  RuntimeStatus,
  RuntimeVersion,
  SandboxFilter,
} from '@edge/core';
import { abortError, EdgeError, sleep, withTimeout } from '@edge/core';
import type { MemoryBehaviour, MemoryExec } from './memory-behaviour.js';
import { behaviourOfCommand, execOfCommand } from './memory-behaviour.js';
import { describeMemoryContainer, describeMemorySandbox, fitsContainer, fitsSandbox } from './memory-describe.js';
import { memoryEvents } from './memory-events.js';
import type { MemoryContainer, MemoryNames, MemorySandbox } from './memory-host.js';
import { MemoryReach } from './memory-reach.js';
import { memoryImage, MemoryHost } from './memory-host.js';

/** A call of the port, for scripts. */
export type RuntimeCall = Exclude<keyof ContainerRuntime, 'events'>;

export interface MemoryRuntimeOptions {
  /** What a container does. Default: what the words of its command say (`behaviourOfCommand`). */
  readonly behaviour?: (config: ContainerConfig) => MemoryBehaviour;
  /** What an exec does. Default: what the words of its command say (`execOfCommand`). */
  readonly exec?: (command: readonly string[], config: ContainerConfig) => MemoryExec;
  /** Milliseconds that each call takes. Default: 0, and then a call takes no turn of the event loop. */
  readonly latencyMs?: (call: RuntimeCall) => number;
  /** The images that are present; a container of another one cannot be created. Default: every image is present. */
  readonly images?: readonly string[];
  /** What the runtime says that it is. Default: `memory`, 0.1.0. */
  readonly version?: Partial<RuntimeVersion>;
  /** What it calls containers, images and addresses. */
  readonly names?: MemoryNames;
}

const NEVER = new AbortController().signal;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A container runtime that only pretends; follows its script and counts its calls. */
export class MemoryRuntime implements ContainerRuntime {
  /** How often each call was made. */
  readonly calls = new Map<RuntimeCall, number>();
  /** The way to the addresses of its pods. */
  readonly reach: MemoryReach;
  readonly #options: MemoryRuntimeOptions;
  readonly #host: MemoryHost;
  readonly #failures = new Map<RuntimeCall, Error[]>();
  #conditions: readonly RuntimeCondition[] = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' }));

  constructor(options: MemoryRuntimeOptions, host: MemoryHost, reach = new MemoryReach()) {
    this.reach = reach;
    this.#options = options;
    this.#host = host;
  }

  /** Ends a container as if its process had. */
  exit(containerId: string, exitCode: number, reason?: string, message?: string): void {
    this.#host.end(this.#container(containerId), exitCode, reason, message);
  }

  /** Lets the next call of this kind fail, before it does anything. Several failures queue up. */
  failNext(call: RuntimeCall, error: Error): void {
    this.#failures.set(call, [...(this.#failures.get(call) ?? []), error]);
  }

  /** Sets what `status` reports. */
  setConditions(conditions: readonly RuntimeCondition[]): void {
    this.#conditions = conditions;
  }

  /** A new instance over the same pods, as after a restart of the agent. */
  reopen(): MemoryRuntime {
    return new MemoryRuntime(this.#options, this.#host, this.reach);
  }

  /** Stops all timers of the pretended pods. */
  close(): void {
    this.#host.close();
  }

  version(signal?: AbortSignal): Promise<RuntimeVersion> {
    return this.#call('version', signal, () => ({ name: 'memory', version: '0.1.0', apiVersion: 'v1', ...this.#options.version }));
  }

  status(signal?: AbortSignal): Promise<RuntimeStatus> {
    return this.#call('status', signal, () => ({ conditions: this.#conditions }));
  }

  runPodSandbox(config: PodSandboxConfig, signal?: AbortSignal): Promise<string> {
    return this.#call('runPodSandbox', signal, () => this.#host.addSandbox(config).id);
  }

  stopPodSandbox(sandboxId: string, signal?: AbortSignal): Promise<void> {
    return this.#call('stopPodSandbox', signal, () => this.#stopSandbox(sandboxId));
  }

  removePodSandbox(sandboxId: string, signal?: AbortSignal): Promise<void> {
    return this.#call('removePodSandbox', signal, () => {
      this.#stopSandbox(sandboxId);
      const sandbox = this.#host.sandboxes.get(sandboxId);
      if (sandbox) this.#host.removeSandbox(sandbox);
    });
  }

  podSandboxStatus(sandboxId: string, signal?: AbortSignal): Promise<PodSandboxStatus> {
    return this.#call('podSandboxStatus', signal, () => {
      const sandbox = this.#sandbox(sandboxId);
      const hostNetwork = sandbox.config.hostNetwork ?? false;
      return { ...describeMemorySandbox(sandbox), hostNetwork, ips: hostNetwork ? [] : [sandbox.ip] };
    });
  }

  listPodSandboxes(filter: SandboxFilter = {}, signal?: AbortSignal): Promise<PodSandbox[]> {
    return this.#call('listPodSandboxes', signal, () => {
      const found = filter.id === undefined ? [...this.#host.sandboxes.values()] : [this.#host.sandboxes.get(filter.id)];
      return found.filter((sandbox) => sandbox !== undefined).map(describeMemorySandbox).filter((sandbox) => fitsSandbox(sandbox, filter));
    });
  }

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig, signal?: AbortSignal): Promise<string> {
    return this.#call('createContainer', signal, () => {
      const { behaviour = behaviourOfCommand } = this.#options;
      const parent = this.#readySandbox(sandboxId);
      if (!this.#hasImage(config.image)) throw new EdgeError('runtime.image-not-found', `image ${config.image} is not present`);
      return this.#host.addContainer(parent, config, sandbox.logDirectory, behaviour(config)).id;
    });
  }

  startContainer(containerId: string, signal?: AbortSignal): Promise<void> {
    return this.#call('startContainer', signal, () => {
      const container = this.#container(containerId);
      this.#readySandbox(container.sandboxId);
      const { state } = container.run.value;
      const { startError } = container.behaviour;
      if (state === 'running') return;
      if (state === 'exited') throw new EdgeError('runtime.wrong-state', `container ${containerId} has run already`);
      if (startError === undefined) return this.#host.start(container);
      this.#host.failStart(container, startError);
      throw new EdgeError('runtime.start-failed', startError);
    });
  }

  stopContainer(containerId: string, graceSeconds: number, signal?: AbortSignal): Promise<void> {
    return this.#call('stopContainer', signal, async () => {
      const container = this.#host.containers.get(containerId);
      if (container?.run.value.state !== 'running') return;
      if (graceSeconds > 0) this.#host.terminate(container);
      const ended = container.run.until(({ state }) => state === 'exited', signal ?? NEVER);
      await withTimeout(ended, Math.min(graceSeconds * 1000, LONGEST_TIMER_MS), () => new EdgeError('runtime.grace-over', ''), signal).catch((error: unknown) => {
        if (signal?.aborted) throw error;
        this.#host.end(container, 137);
      });
    });
  }

  removeContainer(containerId: string, signal?: AbortSignal): Promise<void> {
    return this.#call('removeContainer', signal, () => {
      const container = this.#host.containers.get(containerId);
      if (container) this.#host.removeContainer(container);
    });
  }

  listContainers(filter: ContainerFilter = {}, signal?: AbortSignal): Promise<RuntimeContainer[]> {
    return this.#call('listContainers', signal, () =>
      this.#candidates(filter).map(describeMemoryContainer).filter((container) => fitsContainer(container, filter)),
    );
  }

  containerStatus(containerId: string, signal?: AbortSignal): Promise<RuntimeContainerStatus> {
    return this.#call('containerStatus', signal, () => {
      const container = this.#container(containerId);
      return { ...container.run.value, ...describeMemoryContainer(container), logPath: container.logPath, mounts: container.config.mounts };
    });
  }

  reopenContainerLog(containerId: string, signal?: AbortSignal): Promise<void> {
    return this.#call('reopenContainerLog', signal, () => void this.#container(containerId));
  }

  execSync(containerId: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult> {
    return this.#call('execSync', signal, async () => {
      const { exec = execOfCommand } = this.#options;
      const container = this.#container(containerId);
      if (container.run.value.state !== 'running') throw new EdgeError('runtime.wrong-state', `container ${containerId} does not run`);
      const { afterMs, ...result } = exec(command, container.config);
      const limitMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 : Infinity;
      if (afterMs > 0) await sleep(Math.min(afterMs, limitMs, LONGEST_TIMER_MS), signal ?? NEVER);
      if (afterMs > limitMs) throw new EdgeError('runtime.exec-timeout', `${command.join(' ')} did not end within ${timeoutSeconds} s`);
      return result;
    });
  }

  imageStatus(image: string, signal?: AbortSignal): Promise<RuntimeImage | undefined> {
    return this.#call('imageStatus', signal, () => (this.#hasImage(image) ? memoryImage(image) : undefined));
  }

  pullImage(image: string, _auth?: ImageAuth, signal?: AbortSignal): Promise<string> {
    return this.#call('pullImage', signal, () => {
      this.#host.images.add(image);
      return memoryImage(image).id;
    });
  }

  listImages(signal?: AbortSignal): Promise<RuntimeImage[]> {
    return this.#call('listImages', signal, () => [...this.#host.images].map(memoryImage));
  }

  removeImage(image: string, signal?: AbortSignal): Promise<void> {
    return this.#call('removeImage', signal, () => {
      for (const known of this.#host.images) if (known === image || memoryImage(known).id === image) this.#host.images.delete(known);
    });
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return memoryEvents(this.#host, signal);
  }

  async #call<T>(call: RuntimeCall, signal: AbortSignal | undefined, work: () => T | Promise<T>): Promise<T> {
    if (signal?.aborted) throw abortError(signal);
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
    const latency = this.#options.latencyMs?.(call) ?? 0;
    if (latency > 0) await sleep(latency, signal ?? NEVER);
    const failure = this.#failures.get(call)?.shift();
    if (failure) throw failure;
    return work();
  }

  #stopSandbox(id: string): void {
    const sandbox = this.#host.sandboxes.get(id);
    if (!sandbox?.ready) return;
    sandbox.ready = false;
    for (const container of sandbox.containers.values()) this.#host.end(container, 137);
    this.#host.emit('stopped', id);
  }

  #sandbox(id: string): MemorySandbox {
    const sandbox = this.#host.sandboxes.get(id);
    if (!sandbox) throw new EdgeError('runtime.not-found', `sandbox ${id} does not exist`);
    return sandbox;
  }

  #readySandbox(id: string): MemorySandbox {
    const sandbox = this.#sandbox(id);
    if (!sandbox.ready) throw new EdgeError('runtime.sandbox-not-ready', `sandbox ${id} is not ready`);
    return sandbox;
  }

  #container(id: string): MemoryContainer {
    const container = this.#host.containers.get(id);
    if (!container) throw new EdgeError('runtime.not-found', `container ${id} does not exist`);
    return container;
  }

  #candidates(filter: ContainerFilter): MemoryContainer[] {
    const { containers, sandboxes } = this.#host;
    if (filter.id !== undefined) return [containers.get(filter.id)].filter((container) => container !== undefined);
    return [...(filter.sandboxId === undefined ? containers : (sandboxes.get(filter.sandboxId)?.containers ?? new Map<string, MemoryContainer>())).values()];
  }

  #hasImage(image: string): boolean {
    if (!this.#options.images) return true;
    return [...this.#host.images].some((known) => known === image || memoryImage(known).id === image);
  }
}

/** A runtime in memory, with no pods yet. */
export function createMemoryRuntime(options: MemoryRuntimeOptions = {}): MemoryRuntime {
  return new MemoryRuntime(options, new MemoryHost(options.images ?? [], options.names));
}
