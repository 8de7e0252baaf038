import { apiVersionOf, isApiError, storageName, type KubeObject, type ListOptions, type ObjectKey, type ResourceRef, type ResourceType } from '@edge/kubeapi';
import type { KubeObject as CloudObject } from '@edge/protocol';
import type { Feed } from '../copy/feed.js';
import { objectKey, originOf, type ObjectCopy } from '../copy/object-copy.js';
import { metaServerError } from '../errors.js';
import type { TypeCatalog } from '../types/catalog.js';
import { applicationKey } from './application.js';
import type { CloudApi } from './cloud-api.js';
import { isFalsified } from './falsified-slices.js';
import { readListing, readObject, versionOf } from './listing.js';
import { fieldText, isInScope, type Scope } from './scope.js';

/** Objects in one page, when the client reads by pages. */
const PAGE = 500;

/** What the cloud listed. */
export interface Listed {
  /** By `NAMESPACE/NAME`. */
  readonly keys: ReadonlyMap<string, ObjectKey>;
  /** Of the list, in the cloud's numbers. */
  readonly version: number | undefined;
  readonly loose: readonly CloudObject[] | undefined;
}

const hasVersion = ({ metadata }: CloudObject): boolean => (metadata.resourceVersion ?? '') !== '';

/** Reads in the cloud and brings the copy in step with what it says. [metaserver-5] */
export class CloudReader {
  readonly #cloud: CloudApi;
  readonly #feed: Feed;
  readonly #catalog: TypeCatalog;

  constructor(deps: { cloud: CloudApi; feed: Feed; catalog: TypeCatalog }) {
    this.#cloud = deps.cloud;
    this.#feed = deps.feed;
    this.#catalog = deps.catalog;
  }

  /**
   * One object; the copy holds it afterwards.
   * @returns the object itself when it has no version and so cannot be kept (measurements, for one)
   * @throws ApiError the cloud's refusal; EdgeError as `CloudApi.ask`
   */
  async get(copy: ObjectCopy, type: ResourceType, ref: ResourceRef, signal: AbortSignal): Promise<CloudObject | undefined> {
    let text: string | undefined;
    try {
      text = await this.#cloud.ask({ key: applicationKey(ref), verb: 'get', option: {} });
    } catch (error) {
      if (isApiError(error, 'NotFound')) await this.#forget(copy, type, [{ resource: storageName(type), namespace: ref.namespace ?? '', name: ref.name ?? '' }], signal);
      throw error;
    }
    const object = readObject(text);
    if (object === undefined) throw metaServerError('metaserver.malformed', `the cloud's answer to get ${applicationKey(ref)} is no object`);
    if (!hasVersion(object)) return object;
    await this.keep(copy, [object], signal);
    return undefined;
  }

  /** A collection that is followed; the copy holds it afterwards, and nothing else of it. @throws as `get` */
  async refresh(copy: ObjectCopy, scope: Scope, signal: AbortSignal): Promise<void> {
    await this.list(copy, scope.type, scope.ref, scope.fields.size === 0 ? {} : { fieldSelector: fieldText(scope) }, signal, (object) => isInScope(scope, object), false);
  }

  /**
   * A collection; the copy holds it afterwards.
   * @param isComplete tells which objects of the copy would be listed if the cloud had them; without it none has gone
   * @returns keys of what the cloud listed; the objects themselves when they have no versions
   * @throws as `get`
   */
  async list(copy: ObjectCopy, type: ResourceType, ref: ResourceRef, options: ListOptions, signal: AbortSignal, isComplete?: (object: KubeObject) => boolean, isShared = true): Promise<Listed> {
    const { items, version } = await this.#pages(type, ref, options, isShared);
    if (items.some((item) => !hasVersion(item))) return { keys: new Map(), version, loose: items };
    const keys = new Map<string, ObjectKey>();
    for (const item of items) {
      const key = objectKey(this.#catalog, item);
      if (key) keys.set(`${key.namespace}/${key.name}`, key);
    }
    let absent: readonly ObjectKey[] = [];
    if (isComplete !== undefined && version !== undefined) {
      // What was stored before the list came may not have reached the copy yet; unseen, it would stay for ever.
      await this.#feed.record([], [], signal);
      absent = this.#missing(copy, type, ref, keys, version, isComplete);
    }
    await this.keep(copy, items, signal, absent);
    return { keys, version, loose: undefined };
  }

  /** Takes over objects that the cloud answered with, where the copy does not have them so already. */
  async keep(copy: ObjectCopy, objects: readonly CloudObject[], signal: AbortSignal, absent: readonly ObjectKey[] = []): Promise<void> {
    const fresh = objects.filter((object) => {
      const key = objectKey(this.#catalog, object);
      const there = key && copy.origin(key);
      const { uid, cloudVersion } = originOf(object);
      return !copy.hasJustEnded(uid) && (there === undefined || there.uid !== uid || there.cloudVersion !== cloudVersion);
    });
    // What has just gone is not taken back; an older one under its name has gone all the more.
    const replaced = objects.flatMap((object) => {
      const key = copy.hasJustEnded(object.metadata.uid) ? objectKey(this.#catalog, object) : undefined;
      const isOlder = key !== undefined && (versionOf(copy.origin(key)?.cloudVersion) ?? Infinity) < (versionOf(object.metadata.resourceVersion) ?? 0);
      return isOlder ? [key] : [];
    });
    const gone = [...absent, ...replaced].flatMap((key) => this.#identity(copy, key));
    if (fresh.length > 0 || gone.length > 0) await this.#feed.record(fresh, gone, signal);
  }

  async #forget(copy: ObjectCopy, type: ResourceType, keys: readonly ObjectKey[], signal: AbortSignal): Promise<void> {
    await this.keep(copy, [], signal, type.namespaced ? keys : keys.map((key) => ({ ...key, namespace: '' })));
  }

  /** A client that reads by pages gets all of one version from the copy; the cloud is asked by pages as well. */
  async #pages(type: ResourceType, ref: ResourceRef, options: ListOptions, isShared: boolean): Promise<{ items: CloudObject[]; version: number | undefined }> {
    const items: CloudObject[] = [];
    let version: number | undefined;
    let next: string | undefined;
    const selectors = {
      ...((options.labelSelector ?? '') === '' ? {} : { labelSelector: options.labelSelector }),
      ...((options.fieldSelector ?? '') === '' ? {} : { fieldSelector: options.fieldSelector }),
    };
    do {
      const page = options.limit === undefined || options.limit <= 0 ? {} : { limit: PAGE, ...(next === undefined ? {} : { continue: next }) };
      // A version of ours means nothing in the cloud; 0 ("what is at hand") does.
      const any = options.resourceVersion === '0' && next === undefined ? { resourceVersion: '0' } : {};
      const key = applicationKey(ref);
      const list = readListing(await this.#cloud.ask({ key, verb: 'list', option: { ...selectors, ...any, ...page } }, isShared), { apiVersion: apiVersionOf(type), kind: type.kind });
      if (list === undefined) throw metaServerError('metaserver.malformed', `the cloud's answer to list ${key} is no list`);
      for (const item of list.items) {
        const right = type.plural === 'endpointslices' && isFalsified(item) ? await this.#itself(ref, item) : item;
        if (right !== undefined) items.push(right);
      }
      version ??= list.version;
      next = list.next;
    } while (next !== undefined);
    return { items, version };
  }

  /** Undefined when it has gone meanwhile. */
  async #itself({ name: _, ...place }: ResourceRef, { metadata }: CloudObject): Promise<CloudObject | undefined> {
    try {
      const ref: ResourceRef = { ...place, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
      return readObject(await this.#cloud.ask({ key: applicationKey(ref), verb: 'get', option: {} }));
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** What the copy has and the list lacks, unless it is younger than the list. */
  #missing(copy: ObjectCopy, type: ResourceType, ref: ResourceRef, listed: ReadonlyMap<string, ObjectKey>, version: number, isComplete: (object: KubeObject) => boolean): ObjectKey[] {
    const { items } = copy.store.list({ resource: storageName(type), ...(type.namespaced && ref.namespace !== undefined ? { namespace: ref.namespace } : {}) });
    return items.flatMap((object: KubeObject): ObjectKey[] => {
      const key = { resource: storageName(type), namespace: object.metadata.namespace ?? '', name: object.metadata.name };
      if (listed.has(`${key.namespace}/${key.name}`) || !isComplete(object)) return [];
      const known = versionOf(copy.origin(key)?.cloudVersion);
      return known !== undefined && known <= version ? [key] : [];
    });
  }

  #identity(copy: ObjectCopy, key: ObjectKey): CloudObject[] {
    const object = copy.store.get(key);
    const origin = copy.origin(key);
    if (object === undefined || origin === undefined) return [];
    const { name, namespace } = object.metadata;
    return [{ apiVersion: object.apiVersion, kind: object.kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid: origin.uid, resourceVersion: origin.cloudVersion } }];
  }
}
