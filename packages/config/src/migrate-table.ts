import { formatGoDuration } from './go-duration.js';
import type { Raw, RawScalar } from './yaml/raw.js';

/** v1alpha1 → v1alpha2, the part below `modules.edged`. All other sections kept their keys. */

const EDGED = 'modules.edged';

export interface Move {
  readonly from: string;
  /** Below `modules.edged`. */
  readonly to: string;
  /** The value in its new notation; `undefined` leaves the default, as when the old value meant "none". */
  readonly convert?: (raw: Raw) => Raw | undefined;
}

export interface Drop {
  readonly from: string;
  readonly why: string;
}

const asIs = (raw: Raw): Raw => raw;
const isEmpty = (raw: Raw): boolean => raw.kind === 'scalar' && (raw.value === null || raw.value === '');
/** An empty text stood for "not set" in v1alpha1. */
const unlessEmpty = (raw: Raw): Raw | undefined => (isEmpty(raw) ? undefined : raw);

/** An integer count of a unit becomes a duration text; anything else is passed on and fails as what it is. */
const durationIn = (unit: bigint) => (raw: Raw): Raw => {
  if (raw.kind !== 'scalar' || typeof raw.value !== 'number' || !Number.isSafeInteger(raw.value)) return raw;
  const text = formatGoDuration(BigInt(raw.value) * unit);
  return { ...raw, value: text, text } satisfies RawScalar;
};

const listOfOne = (raw: Raw): Raw | undefined => {
  if (raw.kind !== 'scalar') return raw;
  return isEmpty(raw) ? undefined : { kind: 'list', line: raw.line, items: [raw] };
};

/** The sockets of Docker's old adapter lead nowhere today. */
const unlessDockershim = (raw: Raw): Raw | undefined =>
  raw.kind === 'scalar' && /dockershim|docker\.sock/.test(raw.text) ? undefined : unlessEmpty(raw);

const kubelet = (from: string, to: string, convert: (raw: Raw) => Raw | undefined = asIs): Move => ({ from, to: `tailoredKubeletConfig.${to}`, convert });

export const MOVES: readonly Move[] = [
  { from: 'labels', to: 'nodeLabels' },
  { from: 'maximumDeadContainersPerPod', to: 'maxPerPodContainerCount' },
  kubelet('taints', 'registerWithTaints'),
  kubelet('nodeStatusUpdateFrequency', 'nodeStatusUpdateFrequency', durationIn(1_000_000_000n)),
  kubelet('runtimeRequestTimeout', 'runtimeRequestTimeout', durationIn(60_000_000_000n)),
  kubelet('volumeStatsAggPeriod', 'volumeStatsAggPeriod', durationIn(1n)),
  kubelet('remoteRuntimeEndpoint', 'containerRuntimeEndpoint', unlessDockershim),
  kubelet('remoteImageEndpoint', 'imageServiceEndpoint', unlessDockershim),
  kubelet('clusterDNS', 'clusterDNS', listOfOne),
  kubelet('clusterDomain', 'clusterDomain', unlessEmpty),
  kubelet('registerNode', 'registerNode'),
  kubelet('imageGCHighThreshold', 'imageGCHighThresholdPercent'),
  kubelet('imageGCLowThreshold', 'imageGCLowThresholdPercent'),
  kubelet('cgroupDriver', 'cgroupDriver', unlessEmpty),
  kubelet('cgroupsPerQOS', 'cgroupsPerQOS'),
  kubelet('cgroupRoot', 'cgroupRoot'),
  kubelet('edgeCoreCgroups', 'kubeletCgroups'),
  kubelet('systemCgroups', 'systemCgroups'),
];

const drop = (why: string, ...keys: readonly string[]): readonly Drop[] => keys.map((from) => ({ from, why }));

export const DROPS: readonly Drop[] = [
  ...drop('Docker is only reached through a CRI socket now', 'runtimeType', 'dockerAddress', 'imagePullProgressDeadline'),
  ...drop('the container runtime has its own network configuration', 'networkPluginName', 'cniConfDir', 'cniBinDir', 'cniCacheDirs', 'networkPluginMTU'),
  ...drop('device plug-ins are always served', 'devicePluginEnabled', 'gpuPluginEnabled'),
  ...drop('the memory of the machine is measured', 'edgedMemoryCapacity'),
  ...drop('there is nothing like it any more', 'annotations', 'concurrentConsumers', 'enableMetrics'),
];

/** Where a v1alpha1 path went, as a full v1alpha2 path. */
export function movedTo(path: string): string | undefined {
  if (!path.startsWith(`${EDGED}.`)) return undefined;
  const key = path.slice(EDGED.length + 1).toLowerCase();
  const move = MOVES.find(({ from }) => from.toLowerCase() === key);
  return move === undefined ? undefined : `${EDGED}.${move.to}`;
}
