import type { Store, Table } from '@edge/core';
import type { Change, KubeObject, PersistedState, Persistence } from '@edge/kubeapi';

interface ObjectRow {
  resource: string;
  namespace: string;
  name: string;
  object: string;
}

interface StateRow {
  name: string;
  value: number;
}

const VERSION = 'resourceVersion';

/** Keeps the API's objects in a database: each batch is one unit, durable before the write is answered. */
export class StorePersistence implements Persistence {
  readonly #store: Store;
  readonly #objects: Table<ObjectRow>;
  readonly #state: Table<StateRow>;

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#objects = deps.store.table<ObjectRow>({
      name: 'edge_cloud_object', columns: { resource: 'text', namespace: 'text', name: 'text', object: 'text' }, key: ['resource', 'namespace', 'name'],
    });
    this.#state = deps.store.table<StateRow>({ name: 'edge_cloud_state', columns: { name: 'text', value: 'integer' }, key: ['name'] });
  }

  load(): PersistedState {
    return {
      resourceVersion: this.#state.get({ name: VERSION })?.value ?? 0,
      objects: this.#objects.all().map(({ resource, namespace, name, object }) => ({
        key: { resource, namespace, name }, object: JSON.parse(object) as KubeObject,
      })),
    };
  }

  async commit(changes: readonly Change[]): Promise<void> {
    await this.#store.commit(() => {
      for (const { key, object } of changes) {
        if (object === undefined) this.#objects.remove({ resource: key.resource, namespace: key.namespace, name: key.name });
        else this.#objects.put({ resource: key.resource, namespace: key.namespace, name: key.name, object: JSON.stringify(object) });
      }
      // Removals count too: a version is never given out twice.
      const last = changes.at(-1);
      if (last) this.#state.put({ name: VERSION, value: last.resourceVersion });
    });
  }
}
