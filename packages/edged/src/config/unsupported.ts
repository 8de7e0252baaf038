import { isTree, type Tree } from './reader.js';

const SLICE = 'modules.edged';
const KUBELET = 'tailoredKubeletConfig';

/**
 * Keys of `modules.edged` that have no effect, with the values that ask for nothing: upstream's default first. A key that
 * is supported one day leaves this table. `docs/parity/edged.md` has them with the reason.
 */
const WITHOUT_EFFECT: Readonly<Record<string, readonly unknown[]>> = {
  runtimeCgroups: [''],
  windowsService: [false],
  windowsPriorityClass: [''],
  experimentalMounterPath: [''],
  ...ofKubelet({
    syncFrequency: ['1m0s', '1m'],
    eventRecordQPS: [50],
    eventBurst: [100],
    enableContentionProfiling: [false],
    kubeletCgroups: [''],
    systemCgroups: [''],
    cpuManagerPolicy: ['none', ''],
    cpuManagerPolicyOptions: [],
    cpuManagerReconcilePeriod: ['10s'],
    memoryManagerPolicy: ['None', ''],
    reservedMemory: [],
    topologyManagerPolicy: ['none', ''],
    topologyManagerPolicyOptions: [],
    topologyManagerScope: ['container', ''],
    reservedSystemCPUs: [''],
    qosReserved: [],
    hairpinMode: ['promiscuous-bridge', 'none', ''],
    podCIDR: [''],
    maxOpenFiles: [1_000_000],
    contentType: ['application/json', ''],
    enableControllerAttachDetach: [true],
    protectKernelDefaults: [false],
    makeIPTablesUtilChains: [true],
    iptablesMasqueradeBit: [14],
    iptablesDropBit: [15],
    failSwapOn: [false],
    configMapAndSecretChangeDetectionStrategy: ['Get', ''],
    showHiddenMetricsForVersion: [''],
    volumePluginDir: ['/usr/libexec/kubernetes/kubelet-plugins/volume/exec/', ''],
    kernelMemcgNotification: [false],
    enableSystemLogQuery: [false],
    'crashLoopBackOff.maxContainerRestartPeriod': ['5m0s', '5m'],
    'evictionHard.containerfs.available': [],
    'evictionHard.containerfs.inodesFree': [],
    'evictionSoft.containerfs.available': [],
    'evictionSoft.containerfs.inodesFree': [],
    'logging.format': ['text', ''],
    'logging.flushFrequency': ['5s', 5_000_000_000],
    'logging.verbosity': [0],
    'logging.vmodule': [],
    'logging.options.json.splitStream': [false],
    'logging.options.json.infoBufferSize': ['0', ''],
    'logging.options.text.splitStream': [false],
    'logging.options.text.infoBufferSize': ['0', ''],
  }),
};

/** Gates that decide something here. */
const HONOURED_GATES: ReadonlySet<string> = new Set(['NodeSwap', 'MemoryQoS']);

/** What upstream has behind a gate and is always there: switching it off has no effect. Of all other gates the opposite is true. */
const ALWAYS_ON: ReadonlySet<string> = new Set([
  'AppArmor', 'AppArmorFields', 'CPUCFSQuotaPeriod', 'DisableNodeKubeProxyVersion', 'EventedPLEG', 'ExecProbeTimeout', 'GracefulNodeShutdown',
  'GracefulNodeShutdownBasedOnPodPriority', 'ImageMaximumGCAge', 'KubeletCgroupDriverFromCRI', 'PodDisruptionConditions', 'PodLifecycleSleepAction',
  'PodLogsQuerySplitStreams', 'PodReadyToStartContainersCondition', 'PortForwardWebsockets', 'ProcMountType', 'RecursiveReadOnlyMounts',
  'RelaxedEnvironmentVariableValidation', 'SidecarContainers', 'SizeMemoryBackedVolumes',
]);

/**
 * The settings of `modules.edged` that are set, differ from what upstream does by itself, and have no effect in this agent.
 * @param slice the section as it was read, with or without defaults; durations as Go prints them
 * @returns their paths in the file, such as `modules.edged.tailoredKubeletConfig.podCIDR`, in the order of the documentation
 */
export function unsupportedSettings(slice: Tree): string[] {
  const keys = Object.entries(WITHOUT_EFFECT).filter(([path, usual]) => asks(valueAt(slice, path.split('.')), usual));
  const gates = valueAt(slice, [KUBELET, 'featureGates']);
  return [...keys.map(([path]) => path), ...unsupportedGates(isTree(gates) ? gates : {}).map((gate) => `${KUBELET}.featureGates.${gate}`)].map((path) => `${SLICE}.${path}`);
}

function unsupportedGates(gates: Tree): string[] {
  return Object.entries(gates).flatMap(([name, on]) => (HONOURED_GATES.has(name) || on === ALWAYS_ON.has(name) ? [] : [name]));
}

function asks(value: unknown, usual: readonly unknown[]): boolean {
  if (value === undefined || value === null || usual.includes(value)) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** The names of eviction signals have dots in them. */
function valueAt(from: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined || !isTree(from)) return key === undefined ? from : undefined;
  return from[path.join('.')] ?? valueAt(from[key], rest);
}

function ofKubelet(keys: Readonly<Record<string, readonly unknown[]>>): Record<string, readonly unknown[]> {
  return Object.fromEntries(Object.entries(keys).map(([key, usual]) => [`${KUBELET}.${key}`, usual]));
}
