import type { Pod, Taint } from '@edge/protocol';
import { parseQuantity } from '../plan/quantity.js';
import { qosClass } from '../plan/qos.js';
import { portConflict } from './host-ports.js';
import { fitsNode } from './node-affinity.js';
import { podRequests, sum, type Amounts } from '../plan/pod-resources.js';
import type { Pressure } from './pressure.js';
import { isCritical, isStatic } from './standing.js';
import { tolerates } from './taints.js';

/** Why a pod must not run here, in the words of its status. */
export interface Rejection {
  /** `OutOfcpu`, `NodeAffinity`, `Evicted`, … */
  readonly reason: string;
  /** Without the words that the status begins with. */
  readonly message: string;
  /** What is missing, when room could be made: thousandths by resource name. */
  readonly shortOf?: Amounts;
}

/** The node as pods see it. */
export interface NodeView {
  readonly name: string;
  /** Go's name: `linux`. */
  readonly operatingSystem: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Quantities by resource name, `pods` among them. */
  readonly allocatable: Readonly<Record<string, string>>;
}

export interface AdmitInput {
  readonly pod: Pod;
  readonly node: NodeView;
  /** Pods that were admitted before and have not ended. */
  readonly others: readonly Pod[];
  readonly pressure: ReadonlySet<Pressure>;
}

const OS_LABEL = 'kubernetes.io/os';

/**
 * Decides whether a pod may run on the node. The scheduler has looked at the same things, but from afar and some time
 * ago, and it does not look at all at pods that name their node themselves.
 * @returns undefined when it may
 * @throws EdgeError `edged.quantity`
 */
export function admitPod(input: AdmitInput): Rejection | undefined {
  return underPressure(input) ?? wrongSystem(input) ?? orBetter(input.pod, [resources(input), place(input), ports(input), taint(input)]);
}

/** For a critical pod room can be made, so what does not depend on room counts first. */
function orBetter(pod: Pod, found: readonly (Rejection | undefined)[]): Rejection | undefined {
  const rejections = found.filter((one) => one !== undefined);
  return (isCritical(pod) ? rejections.find(({ shortOf }) => shortOf === undefined) : undefined) ?? rejections[0];
}

function underPressure({ pod, pressure }: AdmitInput): Rejection | undefined {
  if (pressure.size === 0 || isCritical(pod)) return undefined;
  if (pressure.size === 1 && pressure.has('MemoryPressure')) {
    const taint: Taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };
    if (qosClass(pod) !== 'BestEffort' || tolerates(pod.spec.tolerations, taint)) return undefined;
  }
  return { reason: 'Evicted', message: `The node had condition: [${[...pressure].join(' ')}]. ` };
}

function wrongSystem({ pod, node }: AdmitInput): Rejection | undefined {
  const asked = pod.metadata.labels?.[OS_LABEL];
  if (asked !== undefined && asked !== node.operatingSystem) {
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message: `the pod has label ${OS_LABEL}=${asked}, the node runs ${node.operatingSystem}` };
  }
  const { os } = pod.spec;
  if (os === undefined || os.name === node.operatingSystem) return undefined;
  return { reason: 'PodOSNotSupported', message: `the pod is made for ${os.name}, the node runs ${node.operatingSystem}` };
}

function resources({ pod, node, others }: AdmitInput): Rejection | undefined {
  const capacity = (name: string): bigint => parseQuantity(node.allocatable[name] ?? '0');
  const limit = capacity('pods');
  const count = BigInt(others.length) * 1000n;
  if (count + 1000n > limit) return outOf('pods', 1000n, count, limit);
  const used = others.map(podRequests).reduce(sum, new Map<string, bigint>());
  for (const [name, wanted] of inOrder(podRequests(pod))) {
    // What the node does not have at all is counted somewhere else in the cluster.
    if (wanted === 0n || (isExtended(name) && !(name in node.allocatable))) continue;
    const taken = used.get(name) ?? 0n;
    const most = capacity(name);
    if (wanted > most - taken) return outOf(name, wanted, taken, most);
  }
  return undefined;
}

const FIRST = ['cpu', 'memory', 'ephemeral-storage'];

function inOrder(amounts: Amounts): [string, bigint][] {
  const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...amounts].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function outOf(name: string, wanted: bigint, used: bigint, capacity: bigint): Rejection {
  const shown = (thousandths: bigint): string => String(name === 'cpu' ? thousandths : thousandths / 1000n);
  return {
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${shown(wanted)}, used: ${shown(used)}, capacity: ${shown(capacity)}`,
    shortOf: new Map([[name, wanted - (capacity - used)]]),
  };
}

/** Resources that somebody else than Kubernetes has named, such as `vendor.example/gpu`. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.split('/')[0]?.endsWith('kubernetes.io');
}

function place({ pod, node }: AdmitInput): Rejection | undefined {
  if (fitsNode(pod, node.name, node.labels)) return undefined;
  return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: the node's labels do not fit the pod's node selector or affinity" };
}

function ports({ pod, others }: AdmitInput): Rejection | undefined {
  const conflict = portConflict(pod, others);
  if (!conflict) return undefined;
  return { reason: 'NodePorts', message: `Predicate NodePorts failed: another pod has port ${conflict.port} (${conflict.protocol}) of the node` };
}

function taint({ pod, node }: AdmitInput): Rejection | undefined {
  if (isStatic(pod)) return undefined;
  const bad = node.taints.find((one) => one.effect === 'NoExecute' && !tolerates(pod.spec.tolerations, one));
  return bad && { reason: 'TaintToleration', message: `Predicate TaintToleration failed: the pod does not tolerate the node's taint ${bad.key}:NoExecute` };
}
