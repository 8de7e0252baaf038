import type { DraftObject, KubeList, KubeObject, WatchEvent } from './object.js';
import type { DeleteOptions, ListOptions, PatchRequest, RequestContext, WatchOptions, WriteOptions } from './requests.js';

/** In-process access to one type, for controllers. `namespace` is '' or absent for cluster-scoped types. */
export interface ResourceClient<T = KubeObject> {
  /** Committed state now; undefined when it is not there. Shared object: do not change it. */
  find(name: string, namespace?: string): T | undefined;
  /** As find, but throws NotFound. */
  get(name: string, namespace?: string): Promise<T>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  create(object: DraftObject | T, options?: WriteOptions): Promise<T>;
  /** Replaces the object. With metadata.resourceVersion set it throws Conflict when that is not the newest one. */
  update(object: DraftObject | T, options?: WriteOptions): Promise<T>;
  /** Replaces `status` only. */
  updateStatus(object: DraftObject | T, options?: WriteOptions): Promise<T>;
  patch(name: string, namespace: string | undefined, patch: PatchRequest, options?: WriteOptions & { subresource?: string }): Promise<T>;
  /**
   * Read, change a private copy, write; again on Conflict, at most a hundred times. `change` may return false to leave the
   * object as it is. Resolves with what is stored, undefined when the object is not there.
   */
  modify(name: string, namespace: string | undefined, change: (copy: T) => void | false, options?: WriteOptions & { subresource?: 'status' }): Promise<T | undefined>;
  /** Resolves true when it is gone, false when its end has only begun; NotFound is not an error here (true). */
  delete(name: string, namespace?: string, options?: DeleteOptions): Promise<boolean>;
  /**
   * Events until `signal` aborts, which ends the loop without an error. Throws Expired when the version is too old and
   * TooManyRequests when the reader falls more than 10,000 events behind: list again.
   */
  watch(options?: WatchOptions & { signal?: AbortSignal }): AsyncIterable<WatchEvent<T>>;
  /** This client acting for someone else. */
  as(context: RequestContext): ResourceClient<T>;
}
