import type { DraftObject, KubeList, KubeObject, WatchEvent } from './object.js';
import type {
  DeleteOptions, GetOptions, ListOptions, PatchRequest, RequestContext, WatchOptions, WriteOptions,
} from './requests.js';
import type { ResourceRef } from './resource.js';

export interface WatchHandle {
  /** Stops delivery; the sink is not called any more. Idempotent. */
  close(): void;
  /** A bookmark at the newest version, undefined when there is nothing to say. */
  bookmark(): WatchEvent | undefined;
}

/** Result of a patch or an update that may have created the object. */
export interface WriteResult {
  object: KubeObject;
  created: boolean;
}

/**
 * What the HTTP server serves. `KubeApi` is the one over a store; another may pass requests on. Every failure is an
 * `ApiError`. Refs carry the version that was asked for, answers carry it in apiVersion.
 */
export interface ApiBackend {
  get(ref: ResourceRef, options?: GetOptions, context?: RequestContext): Promise<KubeObject>;
  list(ref: ResourceRef, options?: ListOptions, context?: RequestContext): Promise<KubeList>;
  create(ref: ResourceRef, object: DraftObject, options?: WriteOptions, context?: RequestContext): Promise<KubeObject>;
  update(ref: ResourceRef, object: DraftObject, options?: WriteOptions, context?: RequestContext): Promise<WriteResult>;
  patch(ref: ResourceRef, patch: PatchRequest, options?: WriteOptions, context?: RequestContext): Promise<WriteResult>;
  /** `removed` tells a finished deletion from one that has only begun (grace or finalizers). */
  delete(ref: ResourceRef, options?: DeleteOptions, context?: RequestContext): Promise<{ object: KubeObject; removed: boolean }>;
  deleteCollection(ref: ResourceRef, list: ListOptions, options?: DeleteOptions, context?: RequestContext): Promise<KubeList>;
  /**
   * Starts a watch; throws Expired when `resourceVersion` is too old. The sink is called synchronously, in order, from
   * inside this call for initial events and then as changes are committed. It must not throw.
   */
  watch(ref: ResourceRef, options: WatchOptions, sink: (event: WatchEvent) => void, context?: RequestContext): Promise<WatchHandle>;
}
