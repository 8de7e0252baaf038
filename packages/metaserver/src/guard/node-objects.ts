import { storageName, type KubeObject, type ObjectStore } from '@edge/kubeapi';
import type { TypeCatalog } from '../types/catalog.js';

const ACCESS = { group: 'policy.kubeedge.io', version: 'v1alpha1', resource: 'serviceaccountaccesses' } as const;

/** What the guard looks up among the node's objects, with and without the cloud. */
export class NodeObjects {
  readonly #store: ObjectStore;
  readonly #catalog: TypeCatalog;

  constructor(deps: { store: ObjectStore; catalog: TypeCatalog }) {
    this.#store = deps.store;
    this.#catalog = deps.catalog;
  }

  /** A pod or secret. */
  find(plural: 'pods' | 'secrets', namespace: string, name: string): KubeObject | undefined {
    return this.#store.get({ resource: this.#place({ group: '', version: 'v1', resource: plural }), namespace, name });
  }

  /** All ServiceAccountAccess objects: what the cloud says of service accounts with pods here and of their rights. */
  accesses(): readonly KubeObject[] {
    return this.#store.list({ resource: this.#place(ACCESS) }).items;
  }

  /** Calls back after each change of a ServiceAccountAccess. Returns the way to stop. */
  onAccessChange(changed: () => void): () => void {
    return this.#store.watch({ resource: this.#place(ACCESS), after: this.#store.resourceVersion }, changed);
  }

  #place(where: { group: string; version: string; resource: string }): string {
    const type = this.#catalog.registry.find(where);
    return type === undefined ? '' : storageName(type);
  }
}
