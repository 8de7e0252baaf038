import { errorText } from '@edge/core';
import { labelSelectorOf } from '@edge/kubeapi';
import type { StoredNode } from '../objects.js';
import type { JobSettings, JobStatus, NodeTask } from './types.js';

const EDGE_LABEL = 'node-role.kubernetes.io/edge';

/** The first status of a job: which nodes it means, and which of them cannot take it. */
export function firstStatus(settings: JobSettings, nodes: readonly StoredNode[]): JobStatus {
  const chosen = chooseNodes(settings, nodes);
  if (typeof chosen === 'string') return { phase: 'Failure', reason: chosen };
  return { phase: 'Init', nodeStatus: chosen.map(({ name, node }) => firstTask(name, node)) };
}

/** The nodes that are meant, or why nobody is. */
export function chooseNodes({ nodeNames = [], labelSelector }: JobSettings, nodes: readonly StoredNode[]): { name: string; node: StoredNode | undefined }[] | string {
  const byName = new Map(nodes.map((node) => [node.metadata.name, node]));
  if (nodeNames.length > 0 && labelSelector) return 'both nodeNames and labelSelector are given; give one of them';
  if (nodeNames.length > 0) return [...new Set(nodeNames)].map((name) => ({ name, node: byName.get(name) }));
  if (!labelSelector) return 'neither nodeNames nor labelSelector is given; give one of them';
  let matches: (labels: Record<string, string> | undefined) => boolean;
  try {
    matches = labelSelectorOf(labelSelector);
  } catch (error) {
    return `labelSelector cannot be read: ${errorText(error)}`;
  }
  const chosen = nodes.filter((node) => matches(node.metadata.labels)).map((node) => ({ name: node.metadata.name, node }));
  return chosen.length > 0 ? chosen : 'no node has the labels of labelSelector';
}

/** Why a node cannot take a job, undefined when it can. */
export function unfitness(node: StoredNode | undefined): string | undefined {
  if (!node) return 'there is no node of this name';
  if (node.metadata.labels?.[EDGE_LABEL] === undefined) return `the node is not an edge node: it has no label ${EDGE_LABEL}`;
  const isReady = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return isReady ? undefined : 'the node is not ready';
}

function firstTask(nodeName: string, node: StoredNode | undefined): NodeTask {
  const reason = unfitness(node);
  return reason === undefined ? { nodeName, phase: 'Pending' } : { nodeName, phase: 'Failure', reason };
}
