import type { KubeObject, ResourceType } from '@edge/kubeapi';
import { timestamp } from '@edge/protocol';
import type { Usage } from './usage.js';

export const METRICS_GROUP = 'metrics.k8s.io';
const API = `${METRICS_GROUP}/v1beta1`;

type Owner = Pick<KubeObject, 'metadata'>;

/** The types behind `kubectl top`; their objects are made when they are asked for. */
export function metricsTypes(): ResourceType[] {
  const type = (plural: string, kind: string, namespaced: boolean): ResourceType => ({
    group: METRICS_GROUP, version: 'v1beta1', plural, singular: '', kind, namespaced, verbs: ['get', 'list'],
  });
  return [type('nodes', 'NodeMetrics', false), type('pods', 'PodMetrics', true)];
}

export function nodeMetrics(node: Owner, usage: Usage): KubeObject {
  return { ...head('NodeMetrics', node, usage.at, usage.windowMs), usage: amounts(usage) };
}

export function podMetrics(pod: Owner, containers: ReadonlyMap<string, Usage>): KubeObject {
  const all = [...containers.values()];
  const at = Math.min(...all.map((usage) => usage.at));
  const windowMs = Math.min(...all.map((usage) => usage.windowMs));
  return { ...head('PodMetrics', pod, at, windowMs), containers: [...containers].map(([name, usage]) => ({ name, usage: amounts(usage) })) };
}

function head(kind: string, { metadata }: Owner, at: number, windowMs: number): KubeObject {
  const { name, namespace, labels } = metadata;
  return {
    kind, apiVersion: API,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(labels ? { labels } : {}), creationTimestamp: timestamp(at) } as KubeObject['metadata'],
    timestamp: timestamp(at), window: `${Math.round(windowMs) / 1000}s`,
  };
}

/** Quantities as metrics-server writes them: billionths of a core, KiB. */
function amounts({ cpu, memoryBytes }: Usage): { cpu: string; memory: string } {
  return { cpu: `${Math.round(cpu * 1e9)}n`, memory: `${Math.round(memoryBytes / 1024)}Ki` };
}
