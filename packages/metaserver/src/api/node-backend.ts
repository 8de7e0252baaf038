import {
  ApiError, apiVersionOf, isApiError, notFound, type ApiBackend, type DeleteOptions, type DraftObject, type GetOptions, type KubeApi, type KubeList, type KubeObject,
  type ListOptions, type PatchRequest, type RequestContext, type ResourceRef, type ResourceType, type WatchEvent, type WatchHandle, type WatchOptions,
  type WriteOptions, type WriteResult,
} from '@edge/kubeapi';
import { errorCode, errorText } from '@edge/core';
import { isOutage, type CloudApi } from '../cloud/cloud-api.js';
import type { CloudReader, Listed } from '../cloud/cloud-reader.js';
import type { Follower } from '../cloud/follower.js';
import { versionOf } from '../cloud/listing.js';
import { scopeOf } from '../cloud/scope.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { OFFLINE } from '../errors.js';
import type { TypeCatalog } from '../types/catalog.js';
import { Definitions } from '../types/definitions.js';
import type { WaitingWrites, Way } from '../waiting/waiting-writes.js';
import { keyOfRef } from './cloud-versions.js';
import type { CloudWriter } from './cloud-writer.js';
import type { DeviceEdits } from './device-edits.js';

export interface NodeBackendDeps {
  readonly catalog: TypeCatalog;
  readonly copy: ObjectCopy;
  readonly cloud: CloudApi;
  readonly reader: CloudReader;
  readonly writer: CloudWriter;
  /** The copy as an API. */
  readonly local: KubeApi;
  readonly waiting: WaitingWrites;
  readonly devices: DeviceEdits;
  readonly follower: Follower;
  readonly signal: AbortSignal;
}

/**
 * The node's API. What is followed is answered from the copy; all else by the cloud while it answers, refusals included, and
 * from the copy, marked, when it does not. Writes are the cloud's, but for this node's devices while it is away. [metaserver-3]
 */
export class NodeBackend implements ApiBackend {
  readonly #deps: NodeBackendDeps;
  readonly #local: KubeApi;
  readonly #definitions: Definitions;

  constructor(deps: NodeBackendDeps) {
    this.#deps = deps;
    this.#local = deps.local;
    this.#definitions = new Definitions({ catalog: deps.catalog, store: deps.copy.store });
  }

  close(): void {
    this.#local.close();
    this.#definitions.close();
  }

  async get(ref: ResourceRef, options: GetOptions = {}, context: RequestContext = {}): Promise<KubeObject> {
    const type = this.#type(ref);
    const { subresource, ...whole } = ref;
    if (subresource !== undefined && subresource !== 'status') return this.#subresource(ref, subresource);
    const loose = await this.#fromCloud(type, ref, context, () => this.#deps.reader.get(this.#deps.copy, type, whole, this.#deps.signal));
    return loose === undefined ? this.#local.get(whole, options) : (loose as unknown as KubeObject);
  }

  async list(ref: ResourceRef, options: ListOptions = {}, context: RequestContext = {}): Promise<KubeList> {
    const type = this.#type(ref);
    // Later pages show the version of the first one.
    if ((options.continue ?? '') !== '' || options.resourceVersionMatch === 'Exact') return this.#local.list(ref, options);
    const isSelected = (options.labelSelector ?? '') !== '' || (options.fieldSelector ?? '') !== '';
    const { copy, reader, signal } = this.#deps;
    const listed = await this.#fromCloud(type, ref, context, () => reader.list(copy, type, ref, options, signal, isSelected ? undefined : (): boolean => true));
    if (listed?.loose) return this.#listOf(type, listed.loose as unknown as KubeObject[]);
    return listed === undefined || !isSelected ? this.#local.list(ref, options) : this.#selected(type, ref, options, listed, context);
  }

  /**
   * What the copy selects, which is newer than the cloud's answer where the feed was faster; a watch goes on from the copy's version.
   * What it selects beyond that has left the selection, or has gone, while nobody followed: the whole collection tells.
   */
  async #selected(type: ResourceType, ref: ResourceRef, options: ListOptions, { keys, version = -1 }: Listed, context: RequestContext): Promise<KubeList> {
    const { copy, reader, signal } = this.#deps;
    const isOutdated = ({ metadata }: KubeObject): boolean => {
      const { namespace = '', name } = metadata;
      return !keys.has(`${namespace}/${name}`) && (versionOf(copy.origin(keyOfRef(type, { ...ref, namespace }, name))?.cloudVersion) ?? 0) <= version;
    };
    try {
      const { limit: _, ...all } = options;
      const { items } = await this.#local.list(ref, all);
      if (items.some(isOutdated)) await this.#fromCloud(type, ref, context, () => reader.list(copy, type, ref, {}, signal, (): boolean => true));
      return await this.#local.list(ref, options);
    } catch (error) {
      // The node may not list all of it, or does not know a field that the cloud selects by.
      if (!isApiError(error)) throw error;
      return this.#listOf(type, [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, key]) => copy.store.get(key) ?? []));
    }
  }

  async watch(ref: ResourceRef, options: WatchOptions, sink: (event: WatchEvent) => void, context: RequestContext = {}): Promise<WatchHandle> {
    const type = this.#type(ref);
    const held = this.#deps.follower.hold(scopeOf(type, ref, options.fieldSelector ?? '', this.#deps.cloud.node));
    try {
      const asked = options.resourceVersion ?? '';
      // Who begins without a version gets all that the cloud has; who comes back gets what he missed as it comes.
      if (asked === '' || asked === '0') await held.ready;
      else held.ready.catch(() => undefined);
      if (context.signal?.aborted) throw new ApiError('Timeout', 'the client has gone');
      const handle = await this.#local.watch(ref, options, sink);
      return {
        bookmark: () => handle.bookmark(),
        close: () => {
          handle.close();
          held.release();
        },
      };
    } catch (error) {
      held.release();
      throw error;
    }
  }

  create(ref: ResourceRef, object: DraftObject, options: WriteOptions = {}, context: RequestContext = {}): Promise<KubeObject> {
    const { writer, waiting } = this.#deps;
    return this.#write(ref, object?.metadata?.name, context, (type) => writer.create(type, ref, object, options), (way) => waiting.create(way, object, options));
  }

  update(ref: ResourceRef, object: DraftObject, options: WriteOptions = {}, context: RequestContext = {}): Promise<WriteResult> {
    const { writer, waiting } = this.#deps;
    return this.#change(ref, context, (type) => writer.update(type, ref, object, options), (way) => waiting.update(way, object, options),
      (local) => local.update(ref, object, { ...options, dryRun: true }, context), options);
  }

  patch(ref: ResourceRef, patch: PatchRequest, options: WriteOptions = {}, context: RequestContext = {}): Promise<WriteResult> {
    const { writer, waiting } = this.#deps;
    return this.#change(ref, context, (type) => writer.patch(type, ref, patch, options), (way) => waiting.patch(way, patch, options),
      (local) => local.patch(ref, patch, { ...options, dryRun: true }, context), options);
  }

  delete(ref: ResourceRef, options: DeleteOptions = {}, context: RequestContext = {}): Promise<{ object: KubeObject; removed: boolean }> {
    const { writer, waiting } = this.#deps;
    return this.#write(ref, ref.name, context, (type) => writer.delete(type, ref, options), (way) => waiting.delete(way, options));
  }

  /** CloudCore has no such verb: what is listed is deleted one by one. */
  async deleteCollection(ref: ResourceRef, list: ListOptions, options: DeleteOptions = {}, context: RequestContext = {}): Promise<KubeList> {
    const found = await this.list(ref, list, context);
    const items: KubeObject[] = [];
    for (const item of found.items) {
      const { name, namespace } = item.metadata;
      try {
        items.push((await this.delete({ ...ref, name, ...(namespace === undefined ? {} : { namespace }) }, options)).object);
      } catch (error) {
        // Someone else was faster; the aim is reached.
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }
    return { ...found, items };
  }

  /** Asks the cloud unless it is followed; undefined, with a warning to the client, when it does not answer. */
  async #fromCloud<T>(type: ResourceType, ref: ResourceRef, context: RequestContext, ask: () => Promise<T>): Promise<T | undefined> {
    if (this.#deps.follower.isInStep(type, ref)) return undefined;
    // Said without asking: to throw and catch for each read costs more than the read.
    if (!this.#deps.cloud.connected) return warnOfAge(context, OFFLINE);
    try {
      return await ask();
    } catch (error) {
      if (!isOutage(error)) throw this.#orEnding(error);
      return warnOfAge(context, errorText(error));
    }
  }

  /** A Scale or the like is not stored here. */
  async #subresource(ref: ResourceRef, subresource: string): Promise<KubeObject> {
    try {
      return await this.#deps.writer.getSubresource(ref);
    } catch (error) {
      if (!isOutage(error)) throw error;
      throw new ApiError('ServiceUnavailable', `${ref.resource}/${subresource} is read in the cloud: ${errorText(error)}`, {}, { cause: error });
    }
  }

  #listOf(type: ResourceType, items: KubeObject[]): KubeList {
    const resourceVersion = String(this.#deps.copy.store.resourceVersion);
    return { apiVersion: apiVersionOf(type), kind: type.listKind ?? `${type.kind}List`, metadata: { resourceVersion }, items };
  }

  /** As `#write`; a device of this node is changed here while the cloud is away, because its mapper is here. */
  #change(
    ref: ResourceRef, context: RequestContext, now: (type: ResourceType) => Promise<WriteResult>, later: (way: Way) => Promise<WriteResult>,
    here: (local: KubeApi) => Promise<WriteResult>, { dryRun = false }: WriteOptions,
  ): Promise<WriteResult> {
    const { cloud, devices, waiting } = this.#deps;
    return this.#write(ref, ref.name, context, async (type) => {
      if (cloud.connected || waiting.isWilling(context) || !devices.covers(ref)) return now(type);
      const result = await devices.change(ref, here, dryRun);
      context.warn?.(`changed on this node alone, the cloud does not hear of it: its next change of ${type.plural} "${ref.name ?? ''}" goes over this one`);
      return result;
    }, later);
  }

  /** What the cloud cannot take now waits for it, where the client has asked for that. */
  async #write<T>(ref: ResourceRef, name: string | undefined, context: RequestContext, now: (type: ResourceType) => Promise<T>, later: (way: Way) => Promise<T>): Promise<T> {
    const { waiting, cloud } = this.#deps;
    const type = this.#type(ref);
    const isWilling = waiting.isWilling(context);
    if (waiting.holds(type, ref, name)) {
      if (isWilling) return later({ type, ref, context, isTried: false });
      throw new ApiError('ServiceUnavailable', `an earlier change of ${type.plural} "${name}" waits for the cloud, and this one would overtake it`, cloud.connected ? { retryAfterSeconds: 1 } : {});
    }
    try {
      return await now(type);
    } catch (error) {
      if (!isOutage(error)) throw this.#orEnding(error);
      if (isWilling) return later({ type, ref, context, isTried: errorCode(error) !== 'metaserver.offline' });
      // Without Retry-After: Go clients would try ten times before they tell anyone.
      throw new ApiError('ServiceUnavailable', `changes are made in the cloud: ${errorText(error)}`, {}, { cause: error });
    }
  }

  /** What fails because the agent ends is no fault of the request. */
  #orEnding(error: unknown): unknown {
    if (!this.#deps.signal.aborted || isApiError(error)) return error;
    return new ApiError('ServiceUnavailable', 'the agent is ending; whether a change was made can be read when it is back', {}, { cause: error });
  }

  #type(ref: ResourceRef): ResourceType {
    const type = this.#deps.catalog.registry.find(ref);
    if (type === undefined) throw notFound({ resource: ref.resource, group: ref.group, name: ref.name ?? '' });
    return type;
  }
}

/** The client learns that what it gets may be old. */
function warnOfAge(context: RequestContext, why: string): undefined {
  context.warn?.(`from the node's own store, it may be out of date: ${why}`);
  return undefined;
}
