import type { LocalApi } from '../engine/client.js';
import { isApiError } from '../errors.js';
import { parseApiVersion, storageName } from '../resource/registry.js';
import type { DraftObject, KubeObject, OwnerReference } from '../types/object.js';
import type { DeleteOptions } from '../types/requests.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { ObjectKey } from '../types/store.js';
import { NamespaceCleaner } from './namespace-cleaner.js';
import { keyText, OwnerIndex } from './owner-index.js';
import { planCollection } from './plan.js';
import { WorkQueue } from './work-queue.js';

/**
 * Deletes objects whose owners are gone, carries out the Foreground and Orphan policies, and empties namespaces that
 * are being deleted. Give the `KubeApi` `garbageCollection: true` when one of these runs, and run only one.
 */
export class GarbageCollector {
  readonly #api: LocalApi;
  readonly #index = new OwnerIndex();
  readonly #queue: WorkQueue<ObjectKey>;
  readonly #namespaces: NamespaceCleaner;
  readonly #stops = new Map<string, () => void>();

  /** `onError` hears of every failed step; the step is tried again after a second. */
  constructor(deps: { api: LocalApi; onError?: (error: unknown) => void }) {
    const onError = deps.onError ?? ((): void => undefined);
    this.#api = deps.api;
    this.#queue = new WorkQueue<ObjectKey>({ handle: (key) => this.#collect(key), onError });
    this.#namespaces = new NamespaceCleaner({ api: deps.api, onError });
  }

  start(): void {
    this.#followAll();
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
    await Promise.all([this.#queue.stop(), this.#namespaces.stop()]);
  }

  /** Also called when a definition has changed, as there may be new types. */
  #followAll(): void {
    const { registry, store } = this.#api;
    const fresh = [...new Set(registry.all().map(storageName))].filter((resource) => !this.#stops.has(resource));
    // All objects first: an owner must be known before its dependents are judged.
    const loaded = fresh.map((resource) => ({ resource, list: store.list({ resource }) }));
    for (const { resource, list } of loaded) for (const object of list.items) this.#index.put(keyOf(resource, object), object, undefined);
    for (const { resource, list } of loaded) {
      for (const object of list.items) this.#noticed(keyOf(resource, object), object);
      this.#stops.set(resource, store.watch({ resource, after: list.resourceVersion }, (event) => {
        if (event.type === 'deleted') this.#gone(event.key, event.object);
        else {
          this.#index.put(event.key, event.object, event.previous);
          this.#noticed(event.key, event.object);
        }
        if (resource === 'apiextensions.k8s.io/customresourcedefinitions') this.#followAll();
      }));
    }
  }

  #noticed(key: ObjectKey, object: KubeObject): void {
    if (key.resource === 'namespaces') this.#namespaces.look(object);
    const { ownerReferences, finalizers, deletionTimestamp } = object.metadata;
    if (ownerReferences !== undefined || (deletionTimestamp !== undefined && finalizers !== undefined)) this.#queue.add(keyText(key), key);
  }

  #gone(key: ObjectKey, object: KubeObject): void {
    this.#index.remove(key, object);
    this.#namespaces.objectGone(key);
    for (const dependent of this.#index.dependentsOf(object.metadata.uid)) this.#queue.add(keyText(dependent), dependent);
    // An owner may have waited for this one.
    for (const owner of object.metadata.ownerReferences ?? []) {
      const ownerKey = this.#index.keyOf(owner.uid);
      if (ownerKey !== undefined) this.#queue.add(keyText(ownerKey), ownerKey);
    }
  }

  async #collect(key: ObjectKey): Promise<void> {
    const object = this.#api.store.get(key);
    const type = this.#typeOf(key);
    if (object === undefined || type === undefined) return;
    const dependents = this.#index.dependentsOf(object.metadata.uid).map((k) => this.#api.store.get(k)).filter((d) => d !== undefined);
    const plan = planCollection(object, { ownerOf: (reference) => this.#ownerOf(reference), dependents });
    switch (plan.step) {
      case 'nothing': return;
      case 'delete': return this.#delete(object, { propagationPolicy: plan.policy });
      case 'forget owners': return this.#forget(object, plan.uids);
      case 'drop finalizer': return this.#dropFinalizer(object, plan.finalizer);
      case 'orphan dependents':
        for (const dependent of plan.dependents) await this.#forget(dependent, [object.metadata.uid]);
        return this.#collect(key);
      case 'delete dependents':
        for (const dependent of plan.waitFor) await this.#delete(dependent, { propagationPolicy: 'Foreground' });
        for (const dependent of plan.others) await this.#delete(dependent, { propagationPolicy: 'Background' });
    }
  }

  #typeOf(key: ObjectKey): ResourceType | undefined {
    return this.#api.registry.all().find((type) => storageName(type) === key.resource);
  }

  #ownerOf(reference: OwnerReference): KubeObject | 'gone' | 'unknown' {
    const key = this.#index.keyOf(reference.uid);
    if (key !== undefined) return this.#api.store.get(key) ?? 'gone';
    const { group } = parseApiVersion(reference.apiVersion);
    const isServed = this.#api.registry.all().some((type) => type.group === group && type.kind === reference.kind);
    return isServed ? 'gone' : 'unknown';
  }

  async #delete(object: KubeObject, options: DeleteOptions): Promise<void> {
    await unlessOvertaken(this.#api.delete(this.#refOf(object), { ...options, preconditions: { uid: object.metadata.uid } }));
  }

  async #forget(object: KubeObject, uids: readonly string[]): Promise<void> {
    const owners = (object.metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid));
    await this.#change(object, { ownerReferences: owners.length === 0 ? null : owners });
  }

  async #dropFinalizer(object: KubeObject, finalizer: string): Promise<void> {
    await this.#change(object, { finalizers: (object.metadata.finalizers ?? []).filter((f) => f !== finalizer) });
  }

  async #change(object: KubeObject, metadata: object): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const body: DraftObject = { metadata: { ...metadata, uid, resourceVersion } };
    await unlessOvertaken(this.#api.patch(this.#refOf(object), { type: 'merge', body }));
  }

  #refOf(object: KubeObject): ResourceRef {
    const type = this.#api.registry.findKind(object.apiVersion, object.kind);
    const { name, namespace } = object.metadata;
    return { ...parseApiVersion(object.apiVersion), resource: type?.plural ?? '', name, ...(namespace === undefined ? {} : { namespace }) };
  }
}

function keyOf(resource: string, object: KubeObject): ObjectKey {
  return { resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

/** An object that has changed or gone meanwhile has been announced again and is looked at anew. */
async function unlessOvertaken(step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error;
  }
}
