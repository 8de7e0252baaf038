import { atLeast, between, listOfIp, oneOf, preferably, quantity } from './checks.js';
import { bool, duration, flags, float, int32, int64, list, minimal, objects, omitEmpty, pointer, section, shapes, string, strings, struct, uint32, unset } from './build.js';

/** One taint of `registerWithTaints`. */
export interface ConfiguredTaint {
  readonly key?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly timeAdded?: string;
}
export interface PriorityGracePeriod {
  readonly priority?: number;
  readonly shutdownGracePeriodSeconds?: number;
}
export interface ReservedMemory {
  readonly numaNode?: number;
  readonly limits?: Readonly<Record<string, string>>;
}
export interface LogModule {
  readonly filePattern?: string;
  readonly verbosity?: number;
}

const percent = between(0, 100, 'percent');
const readOnlyPort = between(0, 65535, 'a port, 0 for none');

const rows = omitEmpty({
  staticPodPath: string('/etc/kubeedge/manifests', 'Directory of pod manifests that run without the cloud; created at start.'),
  podLogsDir: string('/var/log/pods', 'Directory below which container logs are written.'),
  syncFrequency: duration('1m0s', 'Longest time between two comparisons of running pods with what is wanted.'),
  fileCheckFrequency: duration('20s', 'How often the static pod directory is looked through.'),
  address: string('127.0.0.1', 'Address the node\'s own kubelet API listens on.'),
  readOnlyPort: int32(10350, 'Port of the node\'s own kubelet API.', { check: readOnlyPort }),
  registryPullQPS: pointer(int32(5, 'Image pulls per second; 0 for no limit.', { check: atLeast(0) })),
  registryBurst: int32(10, 'Image pulls allowed in a burst.', { check: atLeast(0) }),
  eventRecordQPS: pointer(int32(50, 'Events per second; 0 for no limit.', { check: atLeast(0) })),
  eventBurst: int32(100, 'Events allowed in a burst.', { check: atLeast(0) }),
  enableDebuggingHandlers: pointer(bool(true, 'Serve logs, exec, attach and port-forward.')),
  enableContentionProfiling: bool(false, 'Record lock contention in profiles.'),
  oomScoreAdj: pointer(int32(-999, 'Out-of-memory score adjustment of the agent.', { check: between(-1000, 1000) })),
  clusterDomain: string('cluster.local', 'DNS domain written into the search list of pods.'),
  clusterDNS: list(undefined, 'DNS servers written into the resolver file of pods.', { check: listOfIp }),
  streamingConnectionIdleTimeout: duration('4h0m0s', 'An exec or attach stream without traffic is closed after this.'),
  nodeStatusUpdateFrequency: duration('10s', 'How often the node status is computed.'),
  nodeStatusReportFrequency: duration('5m0s', 'How often an unchanged node status is reported nevertheless.'),
  nodeLeaseDurationSeconds: int32(40, 'Validity of the node lease, seconds.', { check: atLeast(1) }),
  imageMinimumGCAge: duration('2m0s', 'An unused image is kept at least this long.'),
  imageMaximumGCAge: duration('0s', 'An unused image is removed after this; 0s for never.'),
  imageGCHighThresholdPercent: pointer(int32(85, 'Disk usage at which unused images are removed.', { check: percent })),
  imageGCLowThresholdPercent: pointer(int32(80, 'Disk usage down to which unused images are removed.', { check: percent })),
  volumeStatsAggPeriod: duration('1m0s', 'How often volume usage is measured.'),
  kubeletCgroups: string('', 'Cgroup the agent is put in.'),
  systemCgroups: string('', 'Cgroup other system processes are put in.'),
  cgroupRoot: string('', 'Cgroup below which the pods\' cgroups are made.'),
  cgroupsPerQOS: pointer(bool(true, 'One cgroup level per quality-of-service class.')),
  cgroupDriver: string('cgroupfs', 'Who manages cgroups; must be what the container runtime uses.', { check: oneOf('cgroupfs', 'systemd') }),
  singleProcessOOMKill: unset(bool(false, 'Kill only the one process that ran out of memory instead of its container.')),
  cpuManagerPolicy: string('none', 'How CPUs are assigned.', { check: oneOf('none', 'static') }),
  cpuManagerPolicyOptions: strings(undefined, 'Fine tuning of the CPU manager.'),
  cpuManagerReconcilePeriod: duration('10s', 'How often the CPU assignment is checked.'),
  memoryManagerPolicy: string('None', 'How memory of NUMA nodes is assigned; with a capital letter.', { check: oneOf('None', 'Static') }),
  topologyManagerPolicy: string('none', 'How CPU, memory and devices are aligned.', {
    check: oneOf('none', 'best-effort', 'restricted', 'single-numa-node'),
  }),
  topologyManagerScope: string('container', 'What the alignment is made for.', { check: oneOf('container', 'pod') }),
  topologyManagerPolicyOptions: strings(undefined, 'Fine tuning of the topology manager.'),
  qosReserved: strings(undefined, 'Share of a resource kept for the guaranteed class, in percent.'),
  runtimeRequestTimeout: duration('2m0s', 'Longest wait for an answer of the container runtime, streams and pulls excepted.'),
  hairpinMode: string('promiscuous-bridge', 'How a pod reaches itself through its service.', {
    check: preferably(oneOf('promiscuous-bridge', 'hairpin-veth', 'none')),
  }),
  maxPods: int32(110, 'Most pods on this node.', { check: atLeast(0) }),
  podCIDR: string('', 'Pod address range of a node that runs alone.'),
  podPidsLimit: pointer(int64(-1, 'Most processes in a pod; -1 for no limit.')),
  resolvConf: pointer(string('/etc/resolv.conf', 'Resolver file pods inherit from; empty for none.')),
  cpuCFSQuota: pointer(bool(true, 'Enforce CPU limits.')),
  cpuCFSQuotaPeriod: pointer(duration('100ms', 'Period of the CPU quota.')),
  nodeStatusMaxImages: pointer(int32(0, 'Most images listed in the node status; -1 for all.', { check: atLeast(-1) })),
  maxOpenFiles: int64(1000000, 'Most open files of the agent.', { check: atLeast(0) }),
  contentType: string('application/json', 'Encoding of requests to an API server.'),
  serializeImagePulls: pointer(bool(true, 'Pull one image at a time.')),
  maxParallelImagePulls: unset(int32(0, 'Most image pulls side by side.', { check: atLeast(1) })),
  evictionHard: strings(
    { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%', 'imagefs.available': '15%', 'imagefs.inodesFree': '5%' },
    'Limits at which pods are evicted at once.',
  ),
  evictionSoft: strings(undefined, 'Limits at which pods are evicted after a grace period.'),
  evictionSoftGracePeriod: strings(undefined, 'Grace period of each soft limit.'),
  evictionPressureTransitionPeriod: duration('5m0s', 'How long a pressure condition stays after the pressure went.'),
  evictionMaxPodGracePeriod: int32(0, 'Longest grace period of a pod evicted at a soft limit, seconds.', { check: atLeast(0) }),
  evictionMinimumReclaim: strings(undefined, 'How much is freed at least once eviction begins.'),
  podsPerCore: int32(0, 'Most pods per CPU; 0 for no such limit.', { check: atLeast(0) }),
  enableControllerAttachDetach: pointer(bool(true, 'Volumes are attached by the cloud\'s controller.')),
  protectKernelDefaults: bool(false, 'Stop when kernel settings differ from what is expected, instead of changing them.'),
  makeIPTablesUtilChains: pointer(bool(true, 'Keep the helper chains in iptables.')),
  iptablesMasqueradeBit: pointer(int32(14, 'Packet mark bit for masquerading.', { check: between(0, 31) })),
  iptablesDropBit: pointer(int32(15, 'Packet mark bit for dropping.', { check: between(0, 31) })),
  featureGates: flags('Switches of the kubelet part.'),
  failSwapOn: pointer(bool(false, 'Refuse to start while swap is on.')),
  memorySwap: struct('Swap for containers.', {
    swapBehavior: string('', 'NoSwap or LimitedSwap.', { check: oneOf('', 'NoSwap', 'LimitedSwap') }),
  }),
  containerLogMaxSize: string('10Mi', 'Size at which a container log is rotated.', { check: quantity }),
  containerLogMaxFiles: pointer(int32(5, 'Files kept of each container log.', { check: atLeast(2) })),
  containerLogMaxWorkers: pointer(int32(1, 'Logs rotated side by side.', { check: atLeast(1) })),
  containerLogMonitorInterval: pointer(duration('10s', 'How often log sizes are looked at.')),
  configMapAndSecretChangeDetectionStrategy: string('Get', 'How changed ConfigMaps and Secrets are noticed.', { check: oneOf('Get', 'Cache', 'Watch') }),
  systemReserved: strings(undefined, 'Resources kept for the system.'),
  kubeReserved: strings(undefined, 'Resources kept for the agent.'),
  reservedSystemCPUs: string('', 'CPUs kept for the system, as a list such as 0-1.'),
  showHiddenMetricsForVersion: string('', 'Show metrics hidden since this version.'),
  systemReservedCgroup: string('', 'Cgroup on which systemReserved is enforced.'),
  kubeReservedCgroup: string('', 'Cgroup on which kubeReserved is enforced.'),
  enforceNodeAllocatable: list(['pods'], 'On whom the reservations are enforced.'),
  allowedUnsafeSysctls: list(undefined, 'Kernel settings pods may change although they affect others.'),
  volumePluginDir: string('/usr/libexec/kubernetes/kubelet-plugins/volume/exec/', 'Directory of volume plug-ins.'),
  kernelMemcgNotification: bool(false, 'Let the kernel report memory limits instead of polling.'),
  enableSystemLogHandler: pointer(bool(true, 'Serve the files of the log directory.')),
  enableSystemLogQuery: unset(bool(false, 'Serve queries over the system log.')),
  shutdownGracePeriod: duration('0s', 'How long a shutdown of the machine waits for pods.'),
  shutdownGracePeriodCriticalPods: duration('0s', 'The part of it that is kept for critical pods.'),
  shutdownGracePeriodByPodPriority: objects<PriorityGracePeriod>(
    { priority: shapes.int32, shutdownGracePeriodSeconds: shapes.int64 },
    'Shutdown grace periods by pod priority.',
  ),
  crashLoopBackOff: struct('Pauses between restarts of a failing container.', {
    maxContainerRestartPeriod: unset(duration('5m0s', 'The longest pause.')),
  }),
  reservedMemory: objects<ReservedMemory>(
    { numaNode: shapes.int32, limits: { kind: 'map', of: shapes.string } },
    'Memory kept free on each NUMA node.',
  ),
  enableProfilingHandler: pointer(bool(true, 'Serve profiles.')),
  enableDebugFlagsHandler: pointer(bool(true, 'Serve the log level switch.')),
  seccompDefault: pointer(bool(false, 'Use the runtime\'s system call filter for pods that name none.')),
  memoryThrottlingFactor: pointer(float(0.9, 'Share of the memory limit at which throttling begins.', { check: between(0, 1) })),
  registerWithTaints: objects<ConfiguredTaint>(
    { key: shapes.string, value: shapes.string, effect: shapes.string, timeAdded: shapes.string },
    'Taints the node registers with.',
  ),
  registerNode: pointer(bool(true, 'Register this node with the cloud.')),
  localStorageCapacityIsolation: pointer(bool(true, 'Account and limit local storage.')),
  containerRuntimeEndpoint: string('unix:///run/containerd/containerd.sock', 'Socket of the container runtime.'),
  imageServiceEndpoint: string('unix:///run/containerd/containerd.sock', 'Socket of its image service.'),
  failCgroupV1: pointer(bool(false, 'Refuse to start on cgroup version 1.')),
});

/** Rows that upstream prints although they are empty. */
const logging = struct('Log output of the kubelet part.', {
  format: string('text', 'text or json.', { check: preferably(oneOf('text', 'json')) }),
  flushFrequency: duration('5s', 'How often buffered lines are written.'),
  verbosity: uint32(0, 'Level of detail.'),
  vmodule: objects<LogModule>({ filePattern: shapes.string, verbosity: shapes.uint32 }, 'Levels of single files.'),
  options: struct('Settings of each format.', {
    json: struct('JSON lines.', {
      splitStream: bool(false, 'Errors to stderr, the rest to stdout.', { omitEmpty: true }),
      infoBufferSize: string('0', 'Buffer for the split stream.', { check: quantity }),
    }),
    text: struct('Text lines.', {
      splitStream: bool(false, 'Errors to stderr, the rest to stdout.', { omitEmpty: true }),
      infoBufferSize: string('0', 'Buffer for the split stream.', { check: quantity }),
    }),
  }),
});

export const tailoredKubeletConfig = section('What upstream hands to its kubelet. Durations are written as 1m30s.', minimal({ ...rows, logging }));
