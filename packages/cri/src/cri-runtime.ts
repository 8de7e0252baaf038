import type {
  CgroupDriver,
  ContainerConfig,
  ContainerFilter,
  ContainerRuntime,
  ContainerStats,
  ExecResult,
  ImageAuth,
  ImageFilesystem,
  LinuxResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeEvent,
  RuntimeImage,
  RuntimeStatus,
  RuntimeStreaming,
  RuntimeVersion,
  SandboxFilter,
} from '@edge/core';
import { errorCode } from '@edge/core';
import { driverOfContainerdConfig } from './cgroup-driver.js';
import type { CallLimits, CriConnection, RpcMethod } from './connect.js';
import * as answers from './convert/answers.js';
import { resourcesMessage } from './convert/isolation.js';
import * as requests from './convert/requests.js';
import { int64 } from './convert/values.js';
import { CriError, CriErrors } from './errors.js';
import { followEvents, type EventSource } from './events.js';
import { ImageServiceDefinition, RuntimeServiceDefinition } from './generated/api.js';
import { meet } from './meet.js';
import { SandboxIndex } from './sandbox-index.js';
import { createStreaming } from './streaming.js';
import { Turns } from './turns.js';

const { methods: runtime } = RuntimeServiceDefinition;
const { methods: images } = ImageServiceDefinition;

export interface CriRuntimeDeps {
  readonly connection: CriConnection;
  /** Where images are asked for; the same one, as a rule. */
  readonly images: CriConnection;
  /** For calls without a time of their own. */
  readonly timeoutMs: number;
  /** Who tells of events, if anybody does. */
  readonly events: EventSource | undefined;
}

/** A container runtime behind the interface v1. Made by `createCriRuntime`; holds no state of pods. */
export class CriRuntime implements ContainerRuntime, AsyncDisposable {
  readonly streaming: RuntimeStreaming;
  /** Absent when the runtime has none. Ends when the signal aborts; rejects when the connection breaks. */
  readonly events?: (signal: AbortSignal) => AsyncIterable<RuntimeEvent>;
  readonly #connection: CriConnection;
  readonly #images: CriConnection;
  readonly #timeoutMs: number;
  readonly #sandboxes = new SandboxIndex();
  readonly #removals = new Turns();

  constructor(deps: CriRuntimeDeps) {
    this.#connection = deps.connection;
    this.#images = deps.images;
    this.#timeoutMs = deps.timeoutMs;
    this.streaming = createStreaming(deps.connection);
    const { events, connection } = deps;
    if (events) this.events = (signal) => followEvents(events, connection, this, signal);
  }

  version(signal?: AbortSignal): Promise<RuntimeVersion> {
    return meet(this.#connection, { signal });
  }

  async status(signal?: AbortSignal): Promise<RuntimeStatus> {
    return answers.runtimeStatus(await this.#call(runtime.status, { verbose: false }, { signal }));
  }

  async runPodSandbox(config: PodSandboxConfig, signal?: AbortSignal): Promise<string> {
    const request = { config: requests.sandboxMessage(config), runtimeHandler: config.runtimeHandler ?? '' };
    // Twice the time, as upstream: the network of the pod is set up in here.
    const { podSandboxId } = await this.#call(runtime.runPodSandbox, request, { signal, timeoutMs: this.#timeoutMs * 2 });
    return podSandboxId;
  }

  async stopPodSandbox(podSandboxId: string, signal?: AbortSignal): Promise<void> {
    await unlessGone(this.#call(runtime.stopPodSandbox, { podSandboxId }, { signal }));
  }

  async removePodSandbox(podSandboxId: string, signal?: AbortSignal): Promise<void> {
    await this.#remove(podSandboxId, () => this.#call(runtime.removePodSandbox, { podSandboxId }, { signal }), signal);
  }

  async podSandboxStatus(podSandboxId: string, signal?: AbortSignal): Promise<PodSandboxStatus> {
    const { status } = await this.#call(runtime.podSandboxStatus, { podSandboxId, verbose: false }, { signal });
    return answers.podSandboxStatus(this.#present(status, runtime.podSandboxStatus.name, podSandboxId));
  }

  async listPodSandboxes(filter: SandboxFilter = {}, signal?: AbortSignal): Promise<PodSandbox[]> {
    const { items } = await this.#call(runtime.listPodSandbox, { filter: requests.sandboxFilterMessage(filter) }, { signal });
    return items.map(answers.podSandbox);
  }

  /** @throws CriError `runtime.image-not-found` when the image is not there, `runtime.not-found` when the sandbox is not */
  async createContainer(podSandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig, signal?: AbortSignal): Promise<string> {
    const request = { podSandboxId, config: requests.containerMessage(config, sandbox), sandboxConfig: requests.sandboxMessage(sandbox) };
    try {
      const { containerId } = await this.#call(runtime.createContainer, request, { signal });
      this.#sandboxes.set(containerId, podSandboxId);
      return containerId;
    } catch (error) {
      // The runtime has one code for both things that can be missing.
      if (errorCode(error) === CriErrors.notFound && (await this.imageStatus(config.image, signal)) === undefined) throw imageMissing(error);
      throw error;
    }
  }

  async startContainer(containerId: string, signal?: AbortSignal): Promise<void> {
    await this.#call(runtime.startContainer, { containerId }, { signal });
  }

  async stopContainer(containerId: string, graceSeconds: number, signal?: AbortSignal): Promise<void> {
    const request = { containerId, timeout: int64(Math.ceil(graceSeconds)) };
    await unlessGone(this.#call(runtime.stopContainer, request, { signal, timeoutMs: graceSeconds * 1000 + this.#timeoutMs }));
  }

  async removeContainer(containerId: string, signal?: AbortSignal): Promise<void> {
    await this.#remove(containerId, () => this.#call(runtime.removeContainer, { containerId }, { signal }), signal);
    this.#sandboxes.delete(containerId);
  }

  async listContainers(filter: ContainerFilter = {}, signal?: AbortSignal): Promise<RuntimeContainer[]> {
    const answer = await this.#call(runtime.listContainers, { filter: requests.containerFilterMessage(filter) }, { signal });
    const containers = answer.containers.map(answers.runtimeContainer);
    this.#sandboxes.learn(containers, Object.values(filter).every((part) => part === undefined));
    return containers;
  }

  async containerStatus(containerId: string, signal?: AbortSignal): Promise<RuntimeContainerStatus> {
    const answer = await this.#call(runtime.containerStatus, { containerId, verbose: false }, { signal });
    const status = this.#present(answer.status, runtime.containerStatus.name, containerId);
    if (this.#sandboxes.get(status.id) === undefined) await this.listContainers({ id: status.id }, signal);
    return answers.containerStatus(status, this.#sandboxes.get(status.id) ?? '');
  }

  async reopenContainerLog(containerId: string, signal?: AbortSignal): Promise<void> {
    await this.#call(runtime.reopenContainerLog, { containerId }, { signal });
  }

  /**
   * Seconds are whole on the wire, so the time is rounded up; 0 is no limit.
   * @throws CriError `runtime.exec-timeout` when the command took too long; the runtime has ended it
   */
  async execSync(containerId: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult> {
    const timeout = Math.max(0, Math.ceil(timeoutSeconds));
    const limits = { signal, timeoutMs: timeout === 0 ? Infinity : timeout * 1000 + this.#timeoutMs };
    return this.#call(runtime.execSync, { containerId, cmd: [...command], timeout: int64(timeout) }, limits);
  }

  async updateContainerResources(containerId: string, resources: LinuxResources, signal?: AbortSignal): Promise<void> {
    await this.#call(runtime.updateContainerResources, { containerId, linux: resourcesMessage(resources) }, { signal });
  }

  /** The runtime's stats have no filter by state. */
  async listContainerStats(filter: ContainerFilter = {}, signal?: AbortSignal): Promise<ContainerStats[]> {
    const request = { filter: { id: filter.id ?? '', podSandboxId: filter.sandboxId ?? '', labelSelector: filter.labels ?? {} } };
    return (await this.#call(runtime.listContainerStats, request, { signal })).stats.map(answers.containerStats);
  }

  async cgroupDriver(signal?: AbortSignal): Promise<CgroupDriver | undefined> {
    try {
      const { linux } = await this.#call(runtime.runtimeConfig, {}, { signal });
      return linux && (linux.cgroupDriver === 0 ? 'systemd' : 'cgroupfs');
    } catch (error) {
      if (errorCode(error) !== CriErrors.unimplemented) throw error;
      const { info } = await this.#call(runtime.status, { verbose: true }, { signal });
      return driverOfContainerdConfig(info['config']);
    }
  }

  async imageStatus(image: string, signal?: AbortSignal): Promise<RuntimeImage | undefined> {
    const answer = await this.#callImages(images.imageStatus, { image: requests.imageMessage(image) }, { signal });
    return answer.image && answers.runtimeImage(answer.image);
  }

  /**
   * Without a limit of time, as upstream: the runtime itself gives up a pull that stands still.
   * @throws CriError `runtime.image-not-found` when the registry does not have it
   */
  async pullImage(image: string, auth?: ImageAuth, signal?: AbortSignal): Promise<string> {
    const request = { image: requests.imageMessage(image), auth: auth && requests.authMessage(auth) };
    try {
      return (await this.#callImages(images.pullImage, request, { signal, timeoutMs: Infinity })).imageRef;
    } catch (error) {
      throw errorCode(error) === CriErrors.notFound ? imageMissing(error) : error;
    }
  }

  async listImages(signal?: AbortSignal): Promise<RuntimeImage[]> {
    return (await this.#callImages(images.listImages, {}, { signal })).images.map(answers.runtimeImage);
  }

  async removeImage(image: string, signal?: AbortSignal): Promise<void> {
    await unlessGone(this.#callImages(images.removeImage, { image: requests.imageMessage(image) }, { signal }));
  }

  async imageFilesystems(signal?: AbortSignal): Promise<ImageFilesystem[]> {
    return (await this.#callImages(images.imageFsInfo, {}, { signal })).imageFilesystems.map(answers.imageFilesystem);
  }

  /** Ends the connections; pods run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection[Symbol.dispose]();
    this.#images[Symbol.dispose]();
  }

  #call<Request, Response>(method: RpcMethod<Request, Response>, request: Request, limits: CallLimits): Promise<Response> {
    return this.#connection.call(RuntimeServiceDefinition.fullName, method, request, limits);
  }

  #callImages<Request, Response>(method: RpcMethod<Request, Response>, request: Request, limits: CallLimits): Promise<Response> {
    return this.#images.call(ImageServiceDefinition.fullName, method, request, limits);
  }

  /** containerd refuses to remove what is being removed, so that one waits for the other. */
  #remove(id: string, remove: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
    return this.#removals.run(id, () => unlessGone(remove()), this.#timeoutMs * 2, signal);
  }

  #present<T>(status: T | undefined, call: string, id: string): T {
    if (status === undefined) throw new CriError(CriErrors.failed, `${call} of ${id}: the runtime answered without a status`, { socket: this.#connection.socket, call });
    return status;
  }
}

/** What is to go and is gone already has gone. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (errorCode(error) !== CriErrors.notFound) throw error;
  }
}

function imageMissing(error: unknown): unknown {
  return error instanceof CriError ? new CriError(CriErrors.imageNotFound, error.message, error) : error;
}
