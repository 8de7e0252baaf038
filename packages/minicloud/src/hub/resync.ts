import { createMessage, formatResource, CLUSTER_SCOPE, Groups, type Message, Operations, Sources } from '@edge/protocol';
import { compareVersions } from './delivery.js';
import type { SyncRecord } from './sync-records.js';

/** An object as it is in the cloud now. */
export interface CurrentObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * What a node has to be told so that it holds what the cloud holds: the objects it acknowledged in an older version,
 * and the end of those that are gone or were replaced. Ends come first, so that none hits a successor of the same name, and
 * models before the devices that need them. Empty when all is as recorded.
 */
export function planResync(records: readonly SyncRecord[], find: (record: SyncRecord) => CurrentObject | undefined): Message[] {
  const steps = records.flatMap((record): { rank: number; message: Message }[] => {
    const current = find(record);
    if (current === undefined || current.metadata.uid !== record.uid) return [{ rank: 0, message: deleteStub(record) }];
    if (compareVersions(current.metadata.resourceVersion, record.version) <= 0) return [];
    return [{ rank: record.kind === 'Device' ? 2 : 1, message: update(record, current) }];
  });
  return steps.sort((a, b) => a.rank - b.rank).map(({ message }) => message);
}

function update(record: SyncRecord, current: CurrentObject): Message {
  return createMessage({
    source: Sources.edgeController, group: Groups.resource, operation: Operations.update, resource: resourceOf(record),
    resourceVersion: current.metadata.resourceVersion ?? '', content: { kind: record.kind, apiVersion: record.apiVersion, ...current },
  });
}

function deleteStub(record: SyncRecord): Message {
  const metadata = { name: record.name, ...(record.namespace === '' ? {} : { namespace: record.namespace }), uid: record.uid };
  return createMessage({
    source: Sources.edgeController, group: Groups.resource, operation: Operations.delete, resource: resourceOf(record), content: { metadata },
  });
}

function resourceOf(record: SyncRecord): string {
  return formatResource({ namespace: record.namespace === '' ? CLUSTER_SCOPE : record.namespace, type: record.kind.toLowerCase(), name: record.name });
}
