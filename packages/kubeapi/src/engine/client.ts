import { ApiError, isApiError, notFound } from '../errors.js';
import { parseApiVersion, storageName, type ResourceRegistry } from '../resource/registry.js';
import type { ApiBackend } from '../types/backend.js';
import type { ResourceClient } from '../types/client.js';
import type { DraftObject, KubeList, KubeObject, WatchEvent } from '../types/object.js';
import type { RequestContext } from '../types/requests.js';
import type { ResourceRef } from '../types/resource.js';
import type { ObjectStore } from '../types/store.js';
import { copyData } from './data.js';
import { requireType } from './lookup.js';
import { inVersion } from './versioned.js';

/** An API whose objects are at hand, so that single ones can be read without waiting. */
export interface LocalApi extends ApiBackend {
  readonly registry: ResourceRegistry;
  readonly store: ObjectStore;
}

/** Events that may wait for a reader of `watch`. */
const WATCH_BACKLOG = 10_000;
const MODIFY_ATTEMPTS = 100;
const SYSTEM: RequestContext = { user: { name: 'system:kubeapi', groups: ['system:masters'] } };

/** See ResourceClient. */
export function createClient<T>(api: LocalApi, apiVersion: string, plural: string, context: RequestContext = SYSTEM): ResourceClient<T> {
  const gvr = { ...parseApiVersion(apiVersion), resource: plural };
  requireType(api.registry, gvr);
  const refOf = (name: string | undefined, namespace: string | undefined, subresource?: string): ResourceRef => ({
    ...gvr,
    ...(name === undefined || name === '' ? {} : { name }),
    ...(namespace === undefined || namespace === '' ? {} : { namespace }),
    ...(subresource === undefined ? {} : { subresource }),
  });
  const refTo = (object: DraftObject, subresource?: string): ResourceRef => refOf(object.metadata?.name, object.metadata?.namespace, subresource);

  const client: ResourceClient<T> = {
    find(name, namespace) {
      const type = requireType(api.registry, gvr);
      const object = api.store.get({ resource: storageName(type), namespace: type.namespaced ? namespace ?? '' : '', name });
      return object === undefined ? undefined : inVersion(object, type) as T;
    },
    async get(name, namespace) {
      const object = client.find(name, namespace);
      if (object === undefined) throw notFound({ resource: plural, group: gvr.group, name });
      return object;
    },
    async list(options = {}) {
      return await api.list(refOf(undefined, options.namespace), options, context) as unknown as KubeList<T>;
    },
    async create(object, options) {
      const draft = object as DraftObject;
      return await api.create(refOf(undefined, draft.metadata?.namespace), draft, options, context) as T;
    },
    async update(object, options) {
      const draft = object as DraftObject;
      return (await api.update(refTo(draft), draft, options, context)).object as T;
    },
    async updateStatus(object, options) {
      const draft = object as DraftObject;
      return (await api.update(refTo(draft, 'status'), draft, options, context)).object as T;
    },
    async patch(name, namespace, patch, options = {}) {
      return (await api.patch(refOf(name, namespace, options.subresource), patch, options, context)).object as T;
    },
    async modify(name, namespace, change, options = {}) {
      for (let attempt = 1; ; attempt += 1) {
        const current = client.find(name, namespace);
        if (current === undefined) return undefined;
        const copy = copyData(current);
        if (change(copy) === false) return current;
        try {
          return (await api.update(refOf(name, namespace, options.subresource), copy as DraftObject, options, context)).object as T;
        } catch (error) {
          if (isApiError(error, 'NotFound')) return undefined;
          if (!isApiError(error, 'Conflict') || attempt >= MODIFY_ATTEMPTS) throw error;
        }
      }
    },
    async delete(name, namespace, options) {
      try {
        return (await api.delete(refOf(name, namespace), options, context)).removed;
      } catch (error) {
        if (isApiError(error, 'NotFound')) return true;
        throw error;
      }
    },
    watch: (options = {}) => {
      const { signal, ...rest } = options;
      return iterate(api, refOf(undefined, options.namespace), rest, signal) as AsyncIterable<WatchEvent<T>>;
    },
    as: (other) => createClient<T>(api, apiVersion, plural, other),
  };
  return client;
}

// A function, because the flag changes behind the compiler's back.
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

async function* iterate(api: LocalApi, ref: ResourceRef, options: object, signal: AbortSignal | undefined): AsyncGenerator<WatchEvent<KubeObject>> {
  if (isAborted(signal)) return;
  let waiting: WatchEvent[] = [];
  let wake: () => void = () => undefined;
  let overrun = false as boolean;
  // What is there at the start may be more than the backlog; it is delivered at once, before anyone could read.
  let started = false;
  const handle = await api.watch(ref, options, (event) => {
    if (started && waiting.length >= WATCH_BACKLOG) overrun = true;
    if (!overrun) waiting.push(event);
    wake();
  });
  started = true;
  const stop = (): void => wake();
  signal?.addEventListener('abort', stop);
  try {
    while (!isAborted(signal)) {
      if (waiting.length === 0) {
        if (overrun) throw new ApiError('TooManyRequests', `the reader of a watch of ${ref.resource} fell more than ${WATCH_BACKLOG} events behind: list again`);
        await new Promise<void>((resolve) => { wake = resolve; });
        continue;
      }
      const batch = waiting;
      waiting = [];
      for (const event of batch) {
        if (isAborted(signal)) return;
        yield event;
      }
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    handle.close();
  }
}
