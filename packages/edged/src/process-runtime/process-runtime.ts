import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type {
  ContainerConfig,
  ContainerFilter,
  ContainerRuntime,
  ContainerStats,
  ExecResult,
  ImageAuth,
  Logger,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeEvent,
  RuntimeImage,
  RuntimeStatus,
  RuntimeVersion,
  SandboxFilter,
} from '@edge/core';
import { abortError, EdgeError } from '@edge/core';
import { ProcessContainer } from './container.js';
import { containerFits, describeContainer, describeContainerStatus, describeSandbox, sandboxFits } from './describe.js';
import { RuntimeErrors } from './errors.js';
import { EventHub } from './event-hub.js';
import { imageId, pseudoImage } from './images.js';
import type { ProcessTable } from './process-table.js';
import type { ContainerRecord } from './record.js';
import { containerName, Registry, sandboxName } from './registry.js';
import type { Repository } from './repository.js';
import { Turns } from './turns.js';
import { validateContainer } from './validate.js';

export interface ProcessRuntimeDeps {
  readonly repository: Repository;
  readonly table: ProcessTable;
  readonly log: Logger;
  /** Address that every pod reports: that of the node. */
  readonly hostIP: string;
  readonly path: string;
  readonly rawLimit: number;
  readonly pollMs: number;
}

/** Runs the commands of pods as plain processes. Lists are answered from memory; disk and processes tell of changes. */
export class ProcessRuntime implements ContainerRuntime, AsyncDisposable {
  readonly #deps: ProcessRuntimeDeps;
  readonly #registry = new Registry();
  readonly #images = new Set<string>();
  readonly #hub = new EventHub();
  readonly #turns = new Turns();
  readonly #poll: NodeJS.Timeout;
  #closed = false;

  private constructor(deps: ProcessRuntimeDeps) {
    this.#deps = deps;
    this.#poll = setInterval(() => {
      for (const container of this.#registry.containers) container.poll();
    }, deps.pollMs).unref();
  }

  /** Takes over whatever an earlier instance left in the repository. */
  static async open(deps: ProcessRuntimeDeps): Promise<ProcessRuntime> {
    const runtime = new ProcessRuntime(deps);
    try {
      const { sandboxes, containers } = await deps.repository.load();
      for (const sandbox of sandboxes) runtime.#registry.putSandbox({ ...sandbox, stopped: sandbox.stopped || sandbox.boot !== deps.table.boot });
      await Promise.all(containers.map((record) => runtime.#addContainer(record).adopt()));
      return runtime;
    } catch (error) {
      await runtime[Symbol.asyncDispose]();
      throw error;
    }
  }

  async version(signal?: AbortSignal): Promise<RuntimeVersion> {
    this.#check(signal);
    return { name: 'process', version: '0.1.0', apiVersion: 'v1' };
  }

  async status(signal?: AbortSignal): Promise<RuntimeStatus> {
    this.#check(signal);
    return {
      conditions: [
        { type: 'RuntimeReady', status: true, reason: '', message: '' },
        // Processes share the node's network, which is there without a plug-in.
        { type: 'NetworkReady', status: true, reason: '', message: '' },
      ],
    };
  }

  async runPodSandbox(config: PodSandboxConfig, signal?: AbortSignal): Promise<string> {
    this.#check(signal);
    const release = this.#registry.reserve(sandboxName(config));
    try {
      const record = { id: newId(), createdAt: Date.now(), config, boot: this.#deps.table.boot, stopped: false };
      await this.#deps.repository.saveSandbox(record);
      this.#registry.putSandbox(record);
      this.#emit('created', record.id);
      this.#emit('started', record.id);
      return record.id;
    } catch (error) {
      release();
      throw error;
    }
  }

  async stopPodSandbox(sandboxId: string, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    const changed = await this.#turns.run(sandboxId, async () => {
      const sandbox = this.#registry.findSandbox(sandboxId);
      if (!sandbox || sandbox.stopped) return false;
      const stopped = { ...sandbox, stopped: true };
      await this.#deps.repository.saveSandbox(stopped);
      // From here on it takes no new containers, so none slips in while the others are being stopped.
      this.#registry.putSandbox(stopped);
      return true;
    });
    await Promise.all(this.#registry.containersOf(sandboxId).map((container) => container.stop(0, signal)));
    if (changed) this.#emit('stopped', sandboxId);
  }

  async removePodSandbox(sandboxId: string, signal?: AbortSignal): Promise<void> {
    await this.stopPodSandbox(sandboxId, signal);
    await Promise.all(this.#registry.containersOf(sandboxId).map((container) => this.removeContainer(container.record.id, signal)));
    await this.#turns.run(sandboxId, async () => {
      const sandbox = this.#registry.findSandbox(sandboxId);
      if (!sandbox) return;
      await this.#deps.repository.deleteSandbox(sandboxId);
      this.#registry.deleteSandbox(sandbox);
      this.#emit('deleted', sandboxId);
    });
  }

  async podSandboxStatus(sandboxId: string, signal?: AbortSignal): Promise<PodSandboxStatus> {
    this.#check(signal);
    const sandbox = this.#registry.sandbox(sandboxId);
    const hostNetwork = sandbox.config.hostNetwork ?? false;
    return { ...describeSandbox(sandbox), hostNetwork, ips: hostNetwork ? [] : [this.#deps.hostIP] };
  }

  async listPodSandboxes(filter: SandboxFilter = {}, signal?: AbortSignal): Promise<PodSandbox[]> {
    this.#check(signal);
    return this.#registry.sandboxes.map(describeSandbox).filter((sandbox) => sandboxFits(sandbox, filter));
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig, signal?: AbortSignal): Promise<string> {
    this.#check(signal);
    this.#registry.readySandbox(sandboxId);
    validateContainer(config);
    const release = this.#registry.reserve(containerName(sandboxId, config));
    try {
      const logPath = config.logPath === '' ? '' : join(sandbox.logDirectory, config.logPath);
      const record = { id: newId(), sandboxId, createdAt: Date.now(), config, logPath };
      await this.#deps.repository.createContainer(record);
      this.#addContainer(record);
      this.#emit('created', sandboxId, record.id);
      await this.#removeIfLate(record);
      return record.id;
    } catch (error) {
      release();
      throw error;
    }
  }

  async startContainer(containerId: string, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    const container = this.#registry.container(containerId);
    this.#registry.readySandbox(container.record.sandboxId);
    await container.start(signal);
  }

  async stopContainer(containerId: string, graceSeconds: number, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    await this.#registry.findContainer(containerId)?.stop(graceSeconds, signal);
  }

  async removeContainer(containerId: string, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    const container = this.#registry.findContainer(containerId);
    if (!container) return;
    await container.remove(signal);
    if (this.#registry.deleteContainer(container)) this.#emit('deleted', container.record.sandboxId, containerId);
  }

  async listContainers(filter: ContainerFilter = {}, signal?: AbortSignal): Promise<RuntimeContainer[]> {
    this.#check(signal);
    return this.#registry.candidates(filter).map(describeContainer).filter((container) => containerFits(container, filter));
  }

  async listContainerStats(filter: ContainerFilter = {}, signal?: AbortSignal): Promise<ContainerStats[]> {
    this.#check(signal);
    const wanted = this.#registry.candidates(filter).filter((container) => containerFits(describeContainer(container), filter));
    const measured = await Promise.all(wanted.map(async (container): Promise<ContainerStats[]> => {
      const use = await container.use();
      const { id, config } = container.record;
      const memory = { memoryWorkingSetBytes: use?.memoryBytes ?? 0, memoryUsageBytes: use?.memoryBytes ?? 0, memoryRssBytes: use?.memoryBytes ?? 0 };
      return use ? [{ id, labels: config.labels, metadata: config.metadata, at: Date.now(), cpuNanoseconds: use.cpuNanoseconds, ...memory }] : [];
    }));
    return measured.flat();
  }

  async containerStatus(containerId: string, signal?: AbortSignal): Promise<RuntimeContainerStatus> {
    this.#check(signal);
    return describeContainerStatus(this.#registry.container(containerId));
  }

  async reopenContainerLog(containerId: string, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    await this.#registry.container(containerId).reopenLog();
  }

  async execSync(containerId: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult> {
    this.#check(signal);
    return this.#registry.container(containerId).exec(command, timeoutSeconds, signal);
  }

  async imageStatus(image: string, signal?: AbortSignal): Promise<RuntimeImage | undefined> {
    this.#check(signal);
    return pseudoImage(image);
  }

  async pullImage(image: string, _auth?: ImageAuth, signal?: AbortSignal): Promise<string> {
    this.#check(signal);
    this.#images.add(image);
    return imageId(image);
  }

  async listImages(signal?: AbortSignal): Promise<RuntimeImage[]> {
    this.#check(signal);
    const used = this.#registry.containers.map(({ record }) => record.config.userSpecifiedImage || record.config.image);
    return [...new Set([...this.#images, ...used])].map(pseudoImage);
  }

  async removeImage(image: string, signal?: AbortSignal): Promise<void> {
    this.#check(signal);
    for (const known of this.#images) if (known === image || imageId(known) === image) this.#images.delete(known);
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#hub.events(signal);
  }

  /** Stops watching. Pods run on, and their output waits in files for the next instance. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    await Promise.all(this.#registry.containers.map((container) => container.close()));
  }

  #check(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw abortError(signal);
    if (this.#closed) throw new EdgeError(RuntimeErrors.closed, 'the process runtime was closed');
  }

  /** What was made while its sandbox was being stopped must not stay. */
  async #removeIfLate({ id, sandboxId }: ContainerRecord): Promise<void> {
    if (this.#registry.findSandbox(sandboxId)?.stopped === false) return;
    await this.removeContainer(id);
    throw new EdgeError(RuntimeErrors.sandboxNotReady, `sandbox ${sandboxId} was stopped meanwhile`);
  }

  #addContainer(record: ContainerRecord): ProcessContainer {
    const { repository, table, log, path, rawLimit } = this.#deps;
    const container = new ProcessContainer({
      record,
      paths: repository.paths(record.id),
      table,
      log,
      path,
      rawLimit,
      onChange: (change) => this.#emit(change, record.sandboxId, record.id),
    });
    this.#registry.addContainer(container);
    return container;
  }

  #emit(type: RuntimeEvent['type'], sandboxId: string, containerId = sandboxId): void {
    this.#hub.emit({ type, sandboxId, containerId, at: Date.now() });
  }
}

function newId(): string {
  return randomBytes(32).toString('hex');
}
