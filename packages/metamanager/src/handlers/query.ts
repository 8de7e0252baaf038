import { errorCode, errorText, type Logger } from '@edge/core';
import { CLUSTER_CA_RESOURCE, formatResource, parseResource, ResourceTypes, type Message, type ResourcePath } from '@edge/protocol';
import type { Cloud } from '../cloud.js';
import { readObject, type MetaObjects } from '../meta-objects.js';
import type { ObjectFetcher } from '../object-fetcher.js';
import type { Freshness } from '../reconcile/freshness.js';
import type { Reconciler } from '../reconcile/reconciler.js';
import { objectType } from '../values/object-types.js';
import { fromStore, relay } from './relay.js';

/** Asked from the cloud when there is no row yet; the cloud pushes each later change. */
const STORE_FIRST = new Set<string>([ResourceTypes.configMap, ResourceTypes.secret]);
/** Asked from the cloud whenever it is there. Pods and nodes are always answered from the database. */
const CLOUD_FIRST = new Set<string>([
  ResourceTypes.persistentVolume,
  ResourceTypes.persistentVolumeClaim,
  ResourceTypes.volumeAttachment,
  ResourceTypes.lease,
  ResourceTypes.certificateSigningRequest,
]);

/** Questions of the node's modules about objects. [metamanager-2] */
export class QueryHandler {
  readonly #objects: MetaObjects;
  readonly #fetcher: ObjectFetcher;
  readonly #reconciler: Reconciler;
  readonly #freshness: Freshness;
  readonly #cloud: Cloud;
  readonly #log: Logger;

  constructor(deps: { objects: MetaObjects; fetcher: ObjectFetcher; reconciler: Reconciler; freshness: Freshness; cloud: Cloud; log: Logger }) {
    this.#objects = deps.objects;
    this.#fetcher = deps.fetcher;
    this.#reconciler = deps.reconciler;
    this.#freshness = deps.freshness;
    this.#cloud = deps.cloud;
    this.#log = deps.log;
  }

  /** @throws EdgeError when the cloud is needed and not there; core turns it into an error answer */
  async handle(message: Message): Promise<Message> {
    const path = parseResource(message.route.resource);
    const resource = formatResource(path);
    if (STORE_FIRST.has(path.type) && path.name !== '') {
      const values = this.#local(path);
      if (values.length > 0) {
        // Good enough to start a pod with. Whether it is still true is found out meanwhile; a change is announced.
        if (this.#cloud.connected && !this.#freshness.isConfirmed(path)) this.#reconciler.want(resource);
        return fromStore(message, values);
      }
      return this.#remote(message, path, resource);
    }
    if (CLOUD_FIRST.has(path.type) || resource === CLUSTER_CA_RESOURCE) return this.#remote(message, path, resource);
    return fromStore(message, this.#local(path));
  }

  async #remote(message: Message, path: ResourcePath, resource: string): Promise<Message> {
    try {
      const fetched = await this.#fetcher.fetch(resource);
      return fetched.change === 'outdated' ? fromStore(message, this.#local(path)) : relay(message, fetched.answer);
    } catch (error) {
      const values = this.#local(path);
      if (values.length === 0 || errorCode(error) === 'core.aborted') throw error;
      this.#log.verbose(1, 'answered from the database because the cloud did not', { resource, err: errorText(error) });
      return fromStore(message, values);
    }
  }

  /** Stored texts, by name or all of a type. Rows that hold no object, such as errors that upstream stored, do not count. */
  #local({ type, name, namespace }: ResourcePath): string[] {
    const resource = formatResource({ type, name, namespace });
    const whole = name !== '' || resource === CLUSTER_CA_RESOURCE;
    const stored = whole ? [this.#objects.value(resource)].filter((value) => value !== undefined) : this.#objects.valuesOf(type);
    if (!objectType(type)) return stored;
    return stored.filter((value) => {
      if (readObject(value)) return true;
      this.#log.warn('a row of the database holds no object and is passed over', { resource, characters: value.length });
      return false;
    });
  }
}
