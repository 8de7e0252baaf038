import { createStrategicPatch, type KubeNode, type NodeCondition } from '@edge/protocol';
import { NODE_ANNOTATIONS, type ReportedNodeStatus } from './node-status.js';
import { sortedJson } from './sorted-json.js';

export interface NodeWanted {
  readonly status: ReportedNodeStatus;
  readonly labels: Readonly<Record<string, string>>;
  /** What other modules want to be read at the node. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Changes = Readonly<Record<string, unknown>>;

/**
 * What turns the node that the API is known to have into the wanted one.
 * @param restate name every member of our conditions, also unchanged ones: what others did to them while the link was
 *   down (the cloud turns Ready to Unknown) is not known here yet
 */
export function nodeChanges(known: KubeNode, wanted: NodeWanted, restate: boolean): Changes {
  const before = { metadata: { labels: known.metadata.labels ?? {}, annotations: known.metadata.annotations ?? {} }, status: known.status ?? {} };
  const conditions = before.status.conditions ?? [];
  const own = new Set(wanted.status.conditions.map(({ type }) => type));
  const after = {
    metadata: {
      labels: { ...before.metadata.labels, ...wanted.labels },
      annotations: { ...before.metadata.annotations, ...NODE_ANNOTATIONS, ...wanted.annotations },
    },
    status: {
      ...before.status,
      capacity: { ...before.status.capacity, ...wanted.status.capacity },
      allocatable: { ...before.status.allocatable, ...wanted.status.allocatable },
      conditions: [...wanted.status.conditions, ...conditions.filter(({ type }) => !own.has(type))],
      addresses: wanted.status.addresses,
      nodeInfo: { ...before.status.nodeInfo, ...wanted.status.nodeInfo },
      ...(wanted.status.images === undefined ? {} : { images: wanted.status.images }),
      ...(wanted.status.runtimeHandlers ? { runtimeHandlers: wanted.status.runtimeHandlers } : {}),
    },
  };
  const base = restate && before.status.conditions ? { ...before, status: { ...before.status, conditions: conditions.map((one) => (own.has(one.type) ? { type: one.type } : one)) } } : before;
  const patch = createStrategicPatch(base, after) as { metadata?: object; status?: Record<string, unknown> };
  if (patch.status?.['addresses'] !== undefined || patch.status?.['$setElementOrder/addresses'] !== undefined) {
    // Several addresses may have one type, so merging by type would lose some: the list is replaced.
    delete patch.status['$setElementOrder/addresses'];
    patch.status['addresses'] = [...wanted.status.addresses, { $patch: 'replace' }];
  }
  return patch as Changes;
}

export function nodePatchText(changes: Changes): string {
  return sortedJson(changes);
}

/** What would have to change, heartbeats aside, as text; empty when the node has nothing new to say. */
export function nodeNews(known: KubeNode, wanted: NodeWanted): string {
  const still = (conditions: readonly NodeCondition[]): NodeCondition[] => conditions.map((one) => ({ ...one, lastHeartbeatTime: null }));
  const before = { ...known, status: { ...known.status, ...(known.status?.conditions ? { conditions: still(known.status.conditions) } : {}) } };
  const changes = nodeChanges(before, { ...wanted, status: { ...wanted.status, conditions: still(wanted.status.conditions) } }, false);
  return Object.keys(changes).length === 0 ? '' : sortedJson(changes);
}
