import { token, type Token } from '@edge/core';
import type { Taint } from '@edge/protocol';
import { isolationConfig } from './config/isolation.js';
import { meshDns } from './config/mesh-dns.js';
import { localApiForPods, type LocalApi } from './config/local-api.js';
import { invalid, reader, tree, type Tree } from './config/reader.js';
import { unsupportedSettings } from './config/unsupported.js';
import type { IsolationConfig } from './isolation/config.js';
import type { PullRules } from './images/create-images.js';
import type { GarbageRules } from './plan/garbage.js';
import type { ImageGcRules } from './images/plan-image-gc.js';
import type { RotationRules } from './logs/log-rotation.js';
import type { ResourceRules } from './plan/node-resources.js';
import { parseQuantity } from './plan/quantity.js';
import type { HandlerSwitches } from './server/routes.js';
import { shutdownPeriods, type ShutdownPeriod } from './policy/shutdown-plan.js';
import { parseThresholds, type Threshold } from './policy/thresholds.js';

/** What edged reads of `edgecore.yaml`: the slice `modules.edged`, `edge.runtime` and `edge.kubeletApi`. Times in milliseconds unless named otherwise. */
export interface EdgedConfig {
  readonly enable: boolean;
  /** `process` runs pods as plain processes; `cri` talks to a container runtime; `auto` takes what is there. */
  readonly runtime: 'auto' | 'cri' | 'process';
  readonly endpoints: {
    /** Socket of the container runtime; empty: looked for where runtimes usually listen. */
    readonly runtime: string;
    /** Socket of its image service; empty: the same. */
    readonly image: string;
  };
  /** Milliseconds that a call to the container runtime may take. */
  readonly runtimeRequestTimeoutMs: number;
  readonly reportEvent: boolean;
  /** Absolute path of volumes and other files of pods. */
  readonly rootDirectory: string;
  readonly podLogsDir: string;
  /** Namespace of the first pod list query; the answer holds all namespaces. */
  readonly registerNodeNamespace: string;
  readonly registerNode: boolean;
  readonly registerSchedulable: boolean;
  readonly registerWithTaints: readonly Taint[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Port of the local kubelet API, as the node object names it. */
  readonly readOnlyPort: number;
  /** The node's own Kubernetes API, when it is there for pods. */
  readonly localApi: LocalApi | undefined;
  readonly api: {
    readonly address: string;
    /** `open` as upstream; `token`: only who shows the token of the file. */
    readonly auth: 'open' | 'token';
    readonly tokenFile: string;
    readonly streamIdleMs: number;
    readonly volumeStatsMs: number;
    readonly switches: HandlerSwitches;
  };
  /** `tailoredKubeletConfig` as it was given, for `/configz`. */
  readonly kubeletConfig: Tree;
  /** Paths of what is set and has no effect. */
  readonly unsupported: readonly string[];
  readonly nodeStatusUpdateMs: number;
  readonly nodeStatusReportMs: number;
  readonly leaseSeconds: number;
  readonly garbage: GarbageRules;
  /** Dead containers kept on the whole node; infinite for no limit. */
  readonly maxDead: number;
  readonly rules: ResourceRules;
  readonly pulls: PullRules;
  readonly imageGc: ImageGcRules;
  /** Image of sandboxes, as far as it is known here: the runtime's own configuration decides. */
  readonly podSandboxImage: string;
  /** Images that the node's status lists; -1 for all. */
  readonly nodeStatusMaxImages: number;
  readonly logs: RotationRules;
  readonly isolation: IsolationConfig;
  readonly eviction: {
    readonly thresholds: readonly Threshold[];
    /** How long a pressure condition stays after it was last seen. */
    readonly transitionMs: number;
    /** Most seconds that a pod evicted at a soft limit gets to end. */
    readonly softGraceSeconds: number;
    /** Pods that take more of the disk than they may are evicted. */
    readonly limitStorage: boolean;
  };
  /** When the machine shuts down: how long pods get to end, lower priorities first. Empty: pods are left alone. */
  readonly shutdown: readonly ShutdownPeriod[];
  /** Directory of pods that run without the cloud, or a file with one; empty for none. */
  readonly staticPodPath: string;
  readonly staticPodCheckMs: number;
}

export const EdgedConfig: Token<EdgedConfig> = token<EdgedConfig>('edged', 'EdgedConfig');

const KUBELET = 'modules.edged.tailoredKubeletConfig';

const DEFAULT_EVICTION = { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%', 'imagefs.available': '15%', 'imagefs.inodesFree': '5%' };

const DEFAULT_ENDPOINT = 'unix:///run/containerd/containerd.sock';

/**
 * Reads the slice; what is missing gets upstream's default.
 * @throws EdgeError `config.invalid` naming the path and the value
 */
export function parseEdgedConfig(raw: unknown, root: Tree): EdgedConfig {
  const slice = tree(raw, 'modules.edged');
  const kubelet = tree(slice['tailoredKubeletConfig'], KUBELET);
  const own = reader(slice, 'modules.edged');
  const tailored = reader(kubelet, KUBELET);
  const evictionHard = tailored.texts('evictionHard', DEFAULT_EVICTION);
  return {
    enable: own.flag('enable', true),
    runtime: runtimeChoice(tree(root['edge'], 'edge')['runtime']),
    endpoints: endpoints(tailored.text('containerRuntimeEndpoint', DEFAULT_ENDPOINT), tailored.text('imageServiceEndpoint', DEFAULT_ENDPOINT)),
    runtimeRequestTimeoutMs: tailored.duration('runtimeRequestTimeout', 120_000),
    reportEvent: own.flag('reportEvent', false),
    rootDirectory: own.text('rootDirectory', '/var/lib/kubelet'),
    podLogsDir: tailored.text('podLogsDir', '/var/log/pods'),
    registerNodeNamespace: own.text('registerNodeNamespace', 'default'),
    registerNode: tailored.flag('registerNode', true),
    registerSchedulable: own.flag('registerSchedulable', true),
    registerWithTaints: tailored.list('registerWithTaints') as readonly Taint[],
    nodeLabels: own.texts('nodeLabels', {}),
    readOnlyPort: tailored.number('readOnlyPort', 10350),
    localApi: localApiForPods(root),
    api: {
      address: tailored.text('address', '127.0.0.1'),
      ...apiAccess(tree(tree(root['edge'], 'edge')['kubeletApi'], 'edge.kubeletApi')),
      streamIdleMs: tailored.duration('streamingConnectionIdleTimeout', 4 * 3_600_000),
      volumeStatsMs: tailored.duration('volumeStatsAggPeriod', 60_000),
      switches: {
        debugging: tailored.flag('enableDebuggingHandlers', true),
        systemLogs: tailored.flag('enableSystemLogHandler', true),
        profiling: tailored.flag('enableProfilingHandler', true),
        debugFlags: tailored.flag('enableDebugFlagsHandler', true),
      },
    },
    kubeletConfig: kubelet,
    unsupported: unsupportedSettings(slice),
    nodeStatusUpdateMs: tailored.duration('nodeStatusUpdateFrequency', 10_000),
    nodeStatusReportMs: tailored.duration('nodeStatusReportFrequency', 300_000),
    leaseSeconds: tailored.number('nodeLeaseDurationSeconds', 40),
    garbage: { keepDead: limit(own.number('maxPerPodContainerCount', 1)), minAgeMs: own.duration('minimumGCAge', 0) },
    maxDead: limit(own.number('maxContainerCount', -1)),
    pulls: {
      serial: tailored.flag('serializeImagePulls', true),
      parallel: tailored.number('maxParallelImagePulls', 0),
      perSecond: tailored.number('registryPullQPS', 5),
      burst: tailored.number('registryBurst', 10),
    },
    imageGc: {
      highPercent: tailored.number('imageGCHighThresholdPercent', 85),
      lowPercent: tailored.number('imageGCLowThresholdPercent', 80),
      minAgeMs: tailored.duration('imageMinimumGCAge', 120_000),
      maxAgeMs: tailored.duration('imageMaximumGCAge', 0),
    },
    podSandboxImage: own.text('podSandboxImage', 'kubeedge/pause:3.6'),
    nodeStatusMaxImages: tailored.number('nodeStatusMaxImages', 0),
    logs: {
      maxBytes: Number(parseQuantity(tailored.text('containerLogMaxSize', '10Mi')) / 1000n),
      maxFiles: tailored.number('containerLogMaxFiles', 5),
      intervalMs: tailored.duration('containerLogMonitorInterval', 10_000),
      workers: tailored.number('containerLogMaxWorkers', 1),
    },
    rules: {
      maxPods: tailored.number('maxPods', 110),
      podsPerCore: tailored.number('podsPerCore', 0),
      systemReserved: tailored.texts('systemReserved', {}),
      kubeReserved: tailored.texts('kubeReserved', {}),
      evictionHard,
      ignoreEvictionLimits: own.flag('experimentalNodeAllocatableIgnoreEvictionThreshold', false),
    },
    isolation: isolationConfig(kubelet, tailored, own, KUBELET, meshDns(root)),
    eviction: {
      thresholds: parseThresholds({
        evictionHard,
        evictionSoft: tailored.texts('evictionSoft', {}),
        softGraceMs: tailored.durations('evictionSoftGracePeriod'),
        minimumReclaim: tailored.texts('evictionMinimumReclaim', {}),
        watchAllocatable: kubelet['enforceNodeAllocatable'] === undefined || tailored.list('enforceNodeAllocatable').includes('pods'),
      }),
      transitionMs: tailored.duration('evictionPressureTransitionPeriod', 300_000),
      softGraceSeconds: tailored.number('evictionMaxPodGracePeriod', 0),
      limitStorage: tailored.flag('localStorageCapacityIsolation', true),
    },
    shutdown: shutdownPeriods({
      totalMs: tailored.duration('shutdownGracePeriod', 0),
      criticalMs: tailored.duration('shutdownGracePeriodCriticalPods', 0),
      byPriority: tailored.list('shutdownGracePeriodByPodPriority'),
    }),
    staticPodPath: tailored.text('staticPodPath', '/etc/kubeedge/manifests'),
    staticPodCheckMs: tailored.duration('fileCheckFrequency', 20_000),
  };
}

/** Negative stands for no limit. */
function limit(value: number): number {
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

/**
 * A default is nobody's choice: with it the runtime is looked for in the usual places, of which it is the first, and
 * the image service is that of the runtime. Upstream asks containerd for images even when the runtime is another.
 */
function endpoints(runtime: string, image: string): EdgedConfig['endpoints'] {
  return { runtime: runtime === DEFAULT_ENDPOINT ? '' : runtime, image: image === DEFAULT_ENDPOINT ? '' : image };
}

function runtimeChoice(value: unknown): EdgedConfig['runtime'] {
  if (value === undefined || value === null || value === '') return 'cri';
  if (value === 'auto' || value === 'cri' || value === 'process') return value;
  throw invalid('edge.runtime', value, 'auto, cri or process');
}

function apiAccess(own: Tree): { auth: 'open' | 'token'; tokenFile: string } {
  const auth = own['auth'] ?? 'open';
  if (auth !== 'open' && auth !== 'token') throw invalid('edge.kubeletApi.auth', auth, 'open or token');
  return { auth, tokenFile: reader(own, 'edge.kubeletApi').text('tokenFile', '/etc/kubeedge/kubelet-api.token') };
}
