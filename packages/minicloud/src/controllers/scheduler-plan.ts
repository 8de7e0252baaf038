import type { Taint } from '@edge/protocol';
import type { StoredNode, StoredPod } from '../objects.js';
import { readQuantity } from './quantity.js';

/** A node with what runs on it. */
export interface Candidate {
  readonly node: StoredNode;
  readonly pods: readonly StoredPod[];
}

/** Where a pod goes, or why it cannot go anywhere. */
export type Placement = { readonly node: string } | { readonly reason: string };

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}
interface Term {
  matchExpressions?: Requirement[];
  matchFields?: Requirement[];
}

/** Chooses a node: of those that take the pod the one with the fewest of its kind, then with the fewest pods. */
export function choosePlace(pod: StoredPod, candidates: readonly Candidate[]): Placement {
  const refusals = new Map<string, number>();
  let best: { name: string; siblings: number; pods: number } | undefined;
  for (const candidate of candidates) {
    const refusal = refusalOf(pod, candidate);
    if (refusal !== undefined) {
      refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
      continue;
    }
    const next = { name: candidate.node.metadata.name, siblings: siblingsOf(pod, candidate.pods), pods: candidate.pods.length };
    if (!best || compare(next, best) < 0) best = next;
  }
  if (best) return { node: best.name };
  const reasons = [...refusals].map(([text, count]) => `${count} ${text}`).join(', ');
  return { reason: candidates.length === 0 ? 'there are no nodes' : `no node takes the pod: ${reasons}` };
}

function compare(a: { name: string; siblings: number; pods: number }, b: { name: string; siblings: number; pods: number }): number {
  return a.siblings - b.siblings || a.pods - b.pods || (a.name < b.name ? -1 : 1);
}

/** Pods of the same owner, so that replicas spread over nodes. */
function siblingsOf(pod: StoredPod, pods: readonly StoredPod[]): number {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller)?.uid;
  return owner === undefined ? 0 : pods.filter((other) => other.metadata.ownerReferences?.some((reference) => reference.uid === owner)).length;
}

/** Why a node does not take a pod, undefined when it does. */
export function refusalOf(pod: StoredPod, { node, pods }: Candidate): string | undefined {
  if (!isReady(node)) return 'not ready';
  if (node.spec.unschedulable && !tolerates(pod, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })) return 'cordoned';
  const taint = (node.spec.taints ?? []).find((t) => t.effect !== 'PreferNoSchedule' && !tolerates(pod, t));
  if (taint) return `with taint ${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect} that the pod does not tolerate`;
  const labels = node.metadata.labels ?? {};
  const selector = pod.spec.nodeSelector ?? {};
  if (Object.entries(selector).some(([key, value]) => labels[key] !== value)) return 'without the labels of nodeSelector';
  if (!matchesAffinity(pod, node)) return 'outside the required node affinity';
  return resourceRefusal(pod, node, pods);
}

export function isReady(node: StoredNode): boolean {
  return node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

function tolerates(pod: StoredPod, taint: Taint): boolean {
  return (pod.spec.tolerations ?? []).some((toleration) =>
    ((toleration.effect ?? '') === '' || toleration.effect === taint.effect) &&
    ((toleration.key ?? '') === '' ? toleration.operator === 'Exists' : toleration.key === taint.key) &&
    (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')));
}

function matchesAffinity(pod: StoredPod, node: StoredNode): boolean {
  const affinity = pod.spec['affinity'] as { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: Term[] } } } | undefined;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!terms) return true;
  const labels = node.metadata.labels ?? {};
  return terms.some((term) =>
    (term.matchExpressions ?? []).every((requirement) => meets(requirement, labels[requirement.key])) &&
    (term.matchFields ?? []).every((requirement) => meets(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined)));
}

function meets({ operator, values = [] }: Requirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In': return actual !== undefined && values.includes(actual);
    case 'NotIn': return actual === undefined || !values.includes(actual);
    case 'Exists': return actual !== undefined;
    case 'DoesNotExist': return actual === undefined;
    case 'Gt': return actual !== undefined && Number(actual) > Number(values[0]);
    case 'Lt': return actual !== undefined && Number(actual) < Number(values[0]);
    default: return false;
  }
}

function resourceRefusal(pod: StoredPod, node: StoredNode, pods: readonly StoredPod[]): string | undefined {
  const allocatable = node.status?.allocatable ?? {};
  if (allocatable['pods'] !== undefined && pods.length + 1 > readQuantity(allocatable['pods'])) return 'full of pods';
  for (const [resource, wanted] of requestsOf(pod)) {
    const used = pods.reduce((sum, other) => sum + (requestsOf(other).get(resource) ?? 0), 0);
    if (wanted > 0 && used + wanted > readQuantity(allocatable[resource])) return `without enough ${resource}`;
  }
  return undefined;
}

function requestsOf(pod: StoredPod): Map<string, number> {
  const sum = new Map<string, number>();
  for (const container of pod.spec.containers) {
    for (const [resource, quantity] of Object.entries(container.resources?.requests ?? {})) {
      sum.set(resource, (sum.get(resource) ?? 0) + readQuantity(quantity));
    }
  }
  return sum;
}
