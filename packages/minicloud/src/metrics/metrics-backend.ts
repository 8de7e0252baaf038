import { type ApiBackend, ApiError, type KubeList, type KubeObject, type ListOptions, notFound, type ResourceRef } from '@edge/kubeapi';
import { type Clients, keyOf, type StoredNode, type StoredPod } from '../objects.js';
import type { NodeMeasurements, Pair } from './node-measurements.js';
import { METRICS_GROUP, nodeMetrics, podMetrics } from './objects.js';
import { nodeUsage, podUsage } from './usage.js';

export interface MetricsBackendDeps {
  readonly clients: Pick<Clients, 'nodes' | 'pods'>;
  readonly measurements: Pick<NodeMeasurements, 'pair'>;
}

/** What the API serves, and besides it `metrics.k8s.io`, measured when somebody asks. */
export function withMetrics(backend: ApiBackend, deps: MetricsBackendDeps): ApiBackend {
  const isMetrics = ({ group }: ResourceRef): boolean => group === METRICS_GROUP;
  return {
    get: (ref, options, context) => (isMetrics(ref) ? getMetrics(deps, ref) : backend.get(ref, options, context)),
    list: (ref, options, context) => (isMetrics(ref) ? listMetrics(deps, ref, options ?? {}) : backend.list(ref, options, context)),
    create: (...args) => backend.create(...args),
    update: (...args) => backend.update(...args),
    patch: (...args) => backend.patch(...args),
    delete: (...args) => backend.delete(...args),
    deleteCollection: (...args) => backend.deleteCollection(...args),
    watch: (...args) => backend.watch(...args),
  };
}

async function getMetrics(deps: MetricsBackendDeps, { resource, name = '', namespace }: ResourceRef): Promise<KubeObject> {
  const [found] = resource === 'nodes'
    ? await measuredNodes(deps, [await deps.clients.nodes.get(name)])
    : await measuredPods(deps, [await deps.clients.pods.get(name, namespace)]);
  if (found) return found;
  throw notFound({ resource: `${resource}.${METRICS_GROUP}`, group: '', name });
}

async function listMetrics(deps: MetricsBackendDeps, ref: ResourceRef, options: ListOptions): Promise<KubeList> {
  const { labelSelector, fieldSelector, namespace = ref.namespace } = options;
  const which = { ...(labelSelector === undefined ? {} : { labelSelector }), ...(fieldSelector === undefined ? {} : { fieldSelector }) };
  const isNodes = ref.resource === 'nodes';
  const items = isNodes
    ? await measuredNodes(deps, (await deps.clients.nodes.list(which)).items)
    : await measuredPods(deps, (await deps.clients.pods.list({ ...which, ...(namespace === undefined ? {} : { namespace }) })).items);
  return { kind: isNodes ? 'NodeMetricsList' : 'PodMetricsList', apiVersion: `${METRICS_GROUP}/v1beta1`, metadata: { resourceVersion: '' }, items };
}

async function measuredNodes(deps: MetricsBackendDeps, nodes: readonly StoredNode[]): Promise<KubeObject[]> {
  const pairs = await pairsOf(deps, nodes.map(({ metadata }) => metadata.name));
  return nodes.flatMap((node) => {
    const pair = pairs.get(node.metadata.name);
    const usage = pair && nodeUsage(pair.before, pair.after);
    return usage ? [nodeMetrics(node, usage)] : [];
  });
}

async function measuredPods(deps: MetricsBackendDeps, pods: readonly StoredPod[]): Promise<KubeObject[]> {
  const pairs = await pairsOf(deps, [...new Set(pods.flatMap(({ spec }) => spec.nodeName || []))]);
  return pods.flatMap((pod) => {
    const pair = pairs.get(pod.spec.nodeName ?? '');
    const usage = pair && podUsage(pair.before, pair.after, keyOf(pod));
    return usage ? [podMetrics(pod, usage)] : [];
  });
}

/** Nodes that do not answer are left out, as by metrics-server; when none does, the reason is the answer. */
async function pairsOf({ measurements }: MetricsBackendDeps, nodes: readonly string[]): Promise<ReadonlyMap<string, Pair>> {
  const outcomes = await Promise.allSettled(nodes.map(async (node): Promise<[string, Pair]> => [node, await measurements.pair(node)]));
  const pairs = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const [first] = outcomes;
  if (pairs.length === 0 && first?.status === 'rejected') {
    throw new ApiError('ServiceUnavailable', first.reason instanceof Error ? first.reason.message : 'no node answers');
  }
  return new Map(pairs);
}
