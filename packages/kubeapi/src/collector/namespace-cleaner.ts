import { copyData } from '../engine/data.js';
import type { LocalApi } from '../engine/client.js';
import { isApiError } from '../errors.js';
import { storageName } from '../resource/registry.js';
import type { KubeObject } from '../types/object.js';
import type { ObjectKey } from '../types/store.js';
import { WorkQueue } from './work-queue.js';

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' };

/** Deletes everything in a namespace that is being deleted, and lets the namespace go when it is empty. */
export class NamespaceCleaner {
  readonly #api: LocalApi;
  readonly #ending = new Set<string>();
  readonly #queue: WorkQueue<string>;

  constructor(deps: { api: LocalApi; onError: (error: unknown) => void }) {
    this.#api = deps.api;
    this.#queue = new WorkQueue<string>({ handle: (name) => this.#clean(name), onError: deps.onError });
  }

  /** Call for every namespace that appears or changes. */
  look(namespace: KubeObject): void {
    if (namespace.metadata.deletionTimestamp === undefined) return;
    this.#ending.add(namespace.metadata.name);
    this.#queue.add(namespace.metadata.name, namespace.metadata.name);
  }

  /** Call for every object that is gone: a namespace may have waited for it. */
  objectGone(key: ObjectKey): void {
    if (key.resource === 'namespaces') this.#ending.delete(key.name);
    else if (this.#ending.has(key.namespace)) this.#queue.add(key.namespace, key.namespace);
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #clean(name: string): Promise<void> {
    const namespace = this.#api.store.get({ resource: 'namespaces', namespace: '', name });
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    if ((namespace.status as { phase?: string } | undefined)?.phase !== 'Terminating') {
      await this.#api.patch({ ...NAMESPACES, name, subresource: 'status' }, { type: 'merge', body: { status: { phase: 'Terminating' } } });
    }
    let left = 0;
    const seen = new Set<string>();
    for (const type of this.#api.registry.all()) {
      const resource = storageName(type);
      if (!type.namespaced || seen.has(resource)) continue;
      seen.add(resource);
      const ref = { group: type.group, version: type.version, resource: type.plural, namespace: name };
      const waiting = this.#api.store.list({ resource, namespace: name }).items;
      if (waiting.some((object) => object.metadata.deletionTimestamp === undefined)) await this.#api.deleteCollection(ref, {}, { propagationPolicy: 'Background' });
      left += this.#api.store.list({ resource, namespace: name }).items.length;
    }
    if (left === 0) await this.#release(name);
  }

  async #release(name: string): Promise<void> {
    const namespace = this.#api.store.get({ resource: 'namespaces', namespace: '', name });
    if (namespace === undefined) return;
    try {
      await this.#api.update({ ...NAMESPACES, name, subresource: 'finalize' }, { ...copyData(namespace), spec: { finalizers: [] } });
    } catch (error) {
      // Changed or gone meanwhile: it has been announced again.
      if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error;
    }
  }
}
