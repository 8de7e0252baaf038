import { storageName, type KubeObject, type ObjectStore } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';
import type { TypeCatalog } from '../types/catalog.js';

const ACCESS = { group: 'policy.kubeedge.io', version: 'v1alpha1', resource: 'serviceaccountaccesses' } as const;

/** What the guard looks up among the node's objects, with and without the cloud. */
export class NodeObjects {
  readonly #store: ObjectStore;
  readonly #catalog: TypeCatalog;
  readonly #node: string;

  constructor(deps: { store: ObjectStore; catalog: TypeCatalog; node: string }) {
    this.#store = deps.store;
    this.#catalog = deps.catalog;
    this.#node = deps.node;
  }

  /** A pod or secret. */
  find(plural: 'pods' | 'secrets', namespace: string, name: string): KubeObject | undefined {
    return this.#store.get({ resource: this.#place({ group: '', version: 'v1', resource: plural }), namespace, name });
  }

  /** All ServiceAccountAccess objects: what the cloud says of service accounts with pods here and of their rights. */
  accesses(): readonly KubeObject[] {
    return this.#store.list({ resource: this.#place(ACCESS) }).items.filter((access) => isToldTo(access, this.#node));
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

/**
 * False for one that somebody has read through this API and that the cloud tells other nodes of: nobody would tell this one when its
 * rights are taken back. What the cloud pushes names no node.
 */
function isToldTo(access: KubeObject, node: string): boolean {
  const { status } = access as KubeObject & { status?: unknown };
  const nodes: unknown = isFields(status) ? status['nodeList'] : undefined;
  return !Array.isArray(nodes) || nodes.length === 0 || nodes.includes(node);
}
