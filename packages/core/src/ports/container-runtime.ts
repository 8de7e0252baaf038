import { token } from '../token.js';

/**
 * A container runtime, in the words of the Container Runtime Interface v1 so that its adapter is thin.
 *
 * Every call may be repeated: stopping what is stopped and removing what is gone succeed. A call about something that
 * does not exist and must throws `runtime.not-found`. Times are milliseconds since the epoch, 0 means never.
 * Pods and containers outlive the agent: a new instance over the same root lists what an older one started.
 */
export interface ContainerRuntime {
  version(signal?: AbortSignal): Promise<RuntimeVersion>;
  status(signal?: AbortSignal): Promise<RuntimeStatus>;

  /** Creates and starts a sandbox; returns its id. */
  runPodSandbox(config: PodSandboxConfig, signal?: AbortSignal): Promise<string>;
  /** Stops what still runs in it by force and releases its network. */
  stopPodSandbox(sandboxId: string, signal?: AbortSignal): Promise<void>;
  /** Removes it with all its containers, stopped by force. */
  removePodSandbox(sandboxId: string, signal?: AbortSignal): Promise<void>;
  podSandboxStatus(sandboxId: string, signal?: AbortSignal): Promise<PodSandboxStatus>;
  listPodSandboxes(filter?: SandboxFilter, signal?: AbortSignal): Promise<PodSandbox[]>;

  /** Returns the id of the created container. */
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig, signal?: AbortSignal): Promise<string>;
  startContainer(containerId: string, signal?: AbortSignal): Promise<void>;
  /** Asks the main process to end (SIGTERM), after `graceSeconds` ends all by force. Resolves when it has ended. */
  stopContainer(containerId: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  /** Removes it, stopped by force when it runs. Its log file stays. */
  removeContainer(containerId: string, signal?: AbortSignal): Promise<void>;
  listContainers(filter?: ContainerFilter, signal?: AbortSignal): Promise<RuntimeContainer[]>;
  containerStatus(containerId: string, signal?: AbortSignal): Promise<RuntimeContainerStatus>;
  /** Opens the log file anew after it was renamed. */
  reopenContainerLog(containerId: string, signal?: AbortSignal): Promise<void>;
  /** Runs a command in a running container and collects its output (at most 16 MiB). */
  execSync(containerId: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult>;

  imageStatus(image: string, signal?: AbortSignal): Promise<RuntimeImage | undefined>;
  /** Returns the reference (id) of the pulled image. */
  pullImage(image: string, auth?: ImageAuth, signal?: AbortSignal): Promise<string>;
  listImages(signal?: AbortSignal): Promise<RuntimeImage[]>;
  removeImage(image: string, signal?: AbortSignal): Promise<void>;

  /**
   * Tells of state changes as they happen, at least of what has ended; optional, a reader must also list from time to
   * time. Ends when the signal aborts.
   */
  events?(signal: AbortSignal): AsyncIterable<RuntimeEvent>;

  /** How it manages control groups; undefined when it does not say. Absent when it manages none. */
  cgroupDriver?(signal?: AbortSignal): Promise<CgroupDriver | undefined>;
  /** Changes the limits of a container that runs. */
  updateContainerResources?(containerId: string, resources: LinuxResources, signal?: AbortSignal): Promise<void>;
  /** What running containers use. */
  listContainerStats?(filter?: ContainerFilter, signal?: AbortSignal): Promise<ContainerStats[]>;
  /** Where images are kept and what they take. */
  imageFilesystems?(signal?: AbortSignal): Promise<ImageFilesystem[]>;
  /** Streams into and out of containers, each by a URL of the runtime's own server that is good for one use. */
  readonly streaming?: RuntimeStreaming;
}

/** The upgrade request of a client goes to the URL as it is: SPDY/3.1 and WebSocket are the runtime's business. */
export interface RuntimeStreaming {
  execUrl(containerId: string, options: StreamOptions & { readonly command: readonly string[] }, signal?: AbortSignal): Promise<string>;
  attachUrl(containerId: string, options: StreamOptions, signal?: AbortSignal): Promise<string>;
  portForwardUrl(sandboxId: string, ports: readonly number[], signal?: AbortSignal): Promise<string>;
}

export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Has to be false with `tty`. */
  readonly stderr: boolean;
  readonly tty: boolean;
}

export type CgroupDriver = 'cgroupfs' | 'systemd';

export const ContainerRuntime = token<ContainerRuntime>('core', 'ContainerRuntime');

export interface RuntimeVersion {
  /** `containerd`, `cri-o`, `process`; also the scheme of container ids in statuses (`containerd://…`). */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
}

export interface RuntimeCondition {
  readonly type: 'RuntimeReady' | 'NetworkReady' | (string & {});
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeStatus {
  readonly conditions: readonly RuntimeCondition[];
  /** Kinds of sandboxes that pods can choose by their runtime class; absent when the runtime does not say. */
  readonly handlers?: readonly RuntimeHandler[];
}

export interface RuntimeHandler {
  /** Empty for the default. */
  readonly name: string;
  readonly recursiveReadOnlyMounts: boolean;
  readonly userNamespaces: boolean;
}

export type SandboxState = 'ready' | 'notready';
export type ContainerRunState = 'created' | 'running' | 'exited' | 'unknown';

export interface PodMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** +1 for each sandbox made anew for the same pod. */
  readonly attempt: number;
}

export interface PodSandboxConfig {
  readonly metadata: PodMetadata;
  readonly hostname?: string;
  /** `/var/log/pods/<namespace>_<name>_<uid>`. */
  readonly logDirectory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dns?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  readonly portMappings?: readonly { readonly protocol: string; readonly containerPort: number; readonly hostPort: number; readonly hostIp?: string }[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  /** One process namespace for all containers. */
  readonly sharePID?: boolean;
  readonly runtimeHandler?: string;
  readonly linux?: LinuxSandbox;
}

/** What only a runtime on Linux that isolates can do. Others ignore it. */
export interface LinuxSandbox {
  /** Path for `cgroupfs` (`/kubepods/pod…`), slice path for `systemd`. */
  readonly cgroupParent?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly security?: SandboxSecurity;
  /** Sum over the containers, for runtimes that size a virtual machine. */
  readonly resources?: LinuxResources;
  readonly overhead?: LinuxResources;
}

export interface SandboxSecurity {
  readonly privileged?: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups?: readonly number[];
  readonly readonlyRootfs?: boolean;
  readonly selinux?: SelinuxOptions;
  readonly seccomp?: SecurityProfile;
  readonly apparmor?: SecurityProfile;
}

export interface ContainerSecurity extends SandboxSecurity {
  /** Name of a user of the image, where the number is not known. */
  readonly runAsUsername?: string;
  readonly noNewPrivileges?: boolean;
  readonly addCapabilities?: readonly string[];
  readonly dropCapabilities?: readonly string[];
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** Join the process namespace of this container: an ephemeral container looks at another one. */
  readonly targetContainerId?: string;
}

export interface SelinuxOptions {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}

export interface SecurityProfile {
  readonly type: 'runtimeDefault' | 'unconfined' | 'localhost';
  /** Path or name of the profile, for `localhost`. */
  readonly localhostRef?: string;
}

/** Limits in the kernel's terms. What is absent is left to the runtime. */
export interface LinuxResources {
  /** Microseconds. */
  readonly cpuPeriod?: number;
  /** Microseconds of processor time per period; 0 or absent: no limit. */
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitBytes?: number;
  readonly memorySwapLimitBytes?: number;
  readonly oomScoreAdj?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limitBytes: number }[];
  /** Files of cgroup v2 by name. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface PodSandbox {
  readonly id: string;
  readonly metadata: PodMetadata;
  readonly state: SandboxState;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly runtimeHandler?: string;
}

export interface PodSandboxStatus extends PodSandbox {
  /** Addresses of the pod, the primary one first; empty for host network. */
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

export interface SandboxFilter {
  readonly id?: string;
  readonly state?: SandboxState;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readOnly?: boolean;
  readonly propagation?: 'private' | 'hostToContainer' | 'bidirectional';
  readonly recursiveReadOnly?: boolean;
  readonly selinuxRelabel?: boolean;
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  /** Reference that `imageStatus` gave. */
  readonly image: string;
  /** What the pod spec says. */
  readonly userSpecifiedImage: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly devices?: readonly { readonly containerPath: string; readonly hostPath: string; readonly permissions: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Below the sandbox's log directory: `<container>/<attempt>.log`. */
  readonly logPath: string;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  /** What only a runtime on Linux that isolates can do. Others ignore it. */
  readonly linux?: { readonly resources?: LinuxResources; readonly security?: ContainerSecurity };
}

export interface RuntimeContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: string;
  readonly imageRef: string;
  readonly state: ContainerRunState;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuntimeContainerStatus extends RuntimeContainer {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`; empty while it runs. */
  readonly reason: string;
  readonly message: string;
  /** Absolute path of the log file. */
  readonly logPath: string;
  readonly mounts: readonly Mount[];
}

export interface ContainerFilter {
  readonly id?: string;
  readonly sandboxId?: string;
  readonly state?: ContainerRunState;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a container uses, at one moment. */
export interface ContainerStats {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: { readonly name: string; readonly attempt: number };
  /** Milliseconds since the epoch of the measurement. */
  readonly at: number;
  /** Nanoseconds of processor time since its start. */
  readonly cpuNanoseconds?: number;
  readonly memoryWorkingSetBytes?: number;
  readonly memoryUsageBytes?: number;
  readonly memoryRssBytes?: number;
  readonly memoryPageFaults?: number;
  readonly memoryMajorPageFaults?: number;
  /** Its writable layer. */
  readonly writableLayer?: FilesystemUse;
}

export interface FilesystemUse {
  readonly usedBytes: number;
  readonly inodesUsed: number;
}

export interface ImageFilesystem extends FilesystemUse {
  /** Directory on the filesystem. */
  readonly mountpoint: string;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

export interface RuntimeImage {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly uid?: number;
  readonly username?: string;
  readonly pinned?: boolean;
}

export interface ImageAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface RuntimeEvent {
  readonly type: 'created' | 'started' | 'stopped' | 'deleted';
  readonly containerId: string;
  /** Id of the sandbox; equal to `containerId` for events of the sandbox itself. */
  readonly sandboxId: string;
  readonly at: number;
}
