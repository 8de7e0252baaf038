import { isApiError, type KubeObject, type ResourceClient } from '@edge/kubeapi';
import type { ClientSource } from '../objects.js';
import type { SyncRecord, SyncRecordStorage } from './sync-records.js';

const API = 'reliablesyncs.kubeedge.io/v1alpha1';

interface SyncObject extends KubeObject {
  spec?: { objectAPIVersion?: string; objectKind?: string; objectName?: string };
  status?: { objectResourceVersion?: string };
}

/** Keeps the records as ObjectSync and ClusterObjectSync objects of the API, named `<node>.<uid>`. */
export class ApiSyncRecordStorage implements SyncRecordStorage {
  readonly #namespaced: ResourceClient<SyncObject>;
  readonly #cluster: ResourceClient<SyncObject>;

  constructor(deps: { source: ClientSource }) {
    this.#namespaced = deps.source.resource(API, 'objectsyncs');
    this.#cluster = deps.source.resource(API, 'clusterobjectsyncs');
  }

  async load(): Promise<SyncRecord[]> {
    const lists = await Promise.all([this.#namespaced.list(), this.#cluster.list()]);
    return lists.flatMap((list) => list.items.map(recordOf));
  }

  async save(record: SyncRecord): Promise<void> {
    const client = this.#clientOf(record);
    const object = objectOf(record);
    const isThere = client.find(object.metadata.name, record.namespace) !== undefined;
    try {
      await (isThere ? client.update(object) : client.create(object));
    } catch (error) {
      // Someone made or deleted it in between: once more the other way round.
      if (isApiError(error, 'AlreadyExists')) await client.update(object);
      else if (isThere && isApiError(error, 'NotFound')) await this.save(record);
      // Its namespace is going or gone, and with it the object that the record is about.
      else if (!isApiError(error, 'NotFound') && !isApiError(error, 'Forbidden')) throw error;
    }
  }

  async remove(record: SyncRecord): Promise<void> {
    await this.#clientOf(record).delete(nameOf(record), record.namespace);
  }

  #clientOf(record: SyncRecord): ResourceClient<SyncObject> {
    return record.namespace === '' ? this.#cluster : this.#namespaced;
  }
}

interface Draft {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

const nameOf = (record: SyncRecord): string => `${record.node}.${record.uid}`;

function objectOf(record: SyncRecord): Draft {
  return {
    apiVersion: API, kind: record.namespace === '' ? 'ClusterObjectSync' : 'ObjectSync',
    metadata: { name: nameOf(record), ...(record.namespace === '' ? {} : { namespace: record.namespace }) },
    spec: { objectAPIVersion: record.apiVersion, objectKind: record.kind, objectName: record.name },
    status: { objectResourceVersion: record.version },
  };
}

function recordOf(object: SyncObject): SyncRecord {
  const { name, namespace } = object.metadata;
  // A node's name may hold dots, a uid holds none.
  const dot = name.lastIndexOf('.');
  return {
    node: name.slice(0, dot), uid: name.slice(dot + 1), namespace: namespace ?? '',
    apiVersion: object.spec?.objectAPIVersion ?? '', kind: object.spec?.objectKind ?? '', name: object.spec?.objectName ?? '',
    version: object.status?.objectResourceVersion ?? '0',
  };
}
