import { randomUUID } from 'node:crypto';
import { isFields } from '@edge/protocol';
import { conflict, isApiError, notFound, type ApiError } from '../errors.js';
import { CustomResources, instancesOf, isDefinition } from '../crd/custom-resources.js';
import { applyPatchTo } from '../patch/apply.js';
import { type ResourceRegistry, storageName } from '../resource/registry.js';
import type { ApiBackend, WatchHandle, WriteResult } from '../types/backend.js';
import type { ResourceClient } from '../types/client.js';
import type { AdmissionHook } from '../types/hooks.js';
import type { DraftObject, KubeList, KubeObject, WatchEvent } from '../types/object.js';
import type { DeleteOptions, GetOptions, ListOptions, PatchRequest, RequestContext, WatchOptions, WriteOptions } from '../types/requests.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { ObjectKey, ObjectStore } from '../types/store.js';
import { Admission } from './admission.js';
import { createClient } from './client.js';
import { checkPreconditions, isReleased, planDeletion } from './deletion.js';
import { checkVersionReached, requireType } from './lookup.js';
import { listObjects } from './list.js';
import { recordApply } from './managed-fields.js';
import { validateObject } from './metadata.js';
import { bumpGeneration, complete, isUnchanged, prepareCreate, prepareUpdate, type Source } from './prepare.js';
import { hasScale, scaleOf, withScale } from './scale.js';
import { schemaErrors } from './schema.js';
import { inVersion } from './versioned.js';
import { watchObjects } from './watch.js';

/** How often a write without a version of its own is tried again when others write the same object. */
const ATTEMPTS = 100;

export interface KubeApiDeps {
  registry: ResourceRegistry;
  store: ObjectStore;
  hooks?: readonly AdmissionHook[];
  /** True when a `GarbageCollector` runs: deletion then honours propagation policies and holds namespaces. */
  garbageCollection?: boolean;
  now?: () => Date;
  newUid?: () => string;
  random?: () => number;
}

/** The API over a store, without HTTP. Every failure is an `ApiError`. */
export class KubeApi implements ApiBackend {
  readonly registry: ResourceRegistry;
  readonly store: ObjectStore;
  readonly #admission: Admission;
  readonly #source: Source;
  readonly #collected: boolean;
  readonly #customResources: CustomResources;

  constructor(deps: KubeApiDeps) {
    this.registry = deps.registry;
    this.store = deps.store;
    this.#admission = new Admission({ hooks: deps.hooks ?? [] });
    this.#collected = deps.garbageCollection ?? false;
    this.#source = { now: deps.now ?? ((): Date => new Date()), newUid: deps.newUid ?? randomUUID, random: deps.random ?? Math.random };
    this.#customResources = new CustomResources({ registry: deps.registry, store: deps.store });
  }

  /** Stops following CustomResourceDefinitions. */
  close(): void {
    this.#customResources.close();
  }

  /** In-process access to one type. Throws NotFound for a type that is not served. */
  resource<T = KubeObject>(apiVersion: string, plural: string): ResourceClient<T> {
    return createClient<T>(this, apiVersion, plural);
  }

  async get(ref: ResourceRef, options: GetOptions = {}): Promise<KubeObject> {
    const type = requireType(this.registry, ref);
    checkVersionReached(this.store, options.resourceVersion);
    const object = this.#existing(type, ref);
    return ref.subresource === 'scale' ? scaleOf(type, object) : inVersion(object, type);
  }

  async list(ref: ResourceRef, options: ListOptions = {}): Promise<KubeList> {
    return listObjects(this.store, requireType(this.registry, ref), ref, options);
  }

  async watch(ref: ResourceRef, options: WatchOptions, sink: (event: WatchEvent) => void): Promise<WatchHandle> {
    return watchObjects(this.store, requireType(this.registry, ref), ref, options, sink);
  }

  async create(ref: ResourceRef, draft: DraftObject, options: WriteOptions = {}, context: RequestContext = {}): Promise<KubeObject> {
    const type = requireType(this.registry, ref);
    const object = prepareCreate(type, ref, draft, this.#source);
    this.#complete(type, object, options, context);
    const key = keyOf(type, { ...ref, namespace: object.metadata.namespace ?? '', name: object.metadata.name });
    const request = {
      operation: 'create' as const, type, ref: { ...ref, namespace: key.namespace, name: key.name }, object, current: undefined,
      deleteOptions: undefined, dryRun: options.dryRun ?? false, context,
    };
    await this.#admission.mutate(request);
    // Hooks may leave gaps that defaults close.
    type.strategy?.setDefaults?.(object);
    validateObject(object, undefined, type, type.schema === undefined ? [] : schemaErrors(object, type.schema));
    await this.#admission.validate(request);
    if (request.dryRun && this.store.get(key) === undefined) return object;
    return inVersion(await this.store.create(key, object), type);
  }

  async update(ref: ResourceRef, draft: DraftObject, options: WriteOptions = {}, context: RequestContext = {}): Promise<WriteResult> {
    const type = requireType(this.registry, ref);
    const build = (current: KubeObject): unknown => (ref.subresource === 'scale' ? withScale(type, current, draft) : draft);
    return { object: await this.#change(type, ref, build, options, context), created: false };
  }

  async patch(ref: ResourceRef, patch: PatchRequest, options: WriteOptions = {}, context: RequestContext = {}): Promise<WriteResult> {
    const type = requireType(this.registry, ref);
    const isApply = patch.type === 'apply';
    if (isApply && ref.subresource === undefined && this.store.get(keyOf(type, ref)) === undefined) {
      const draft = isFields(patch.body) ? recordApply(patch.body, type, options, this.#source.now()) : patch.body;
      return { object: await this.create(ref, draft as DraftObject, options, context), created: true };
    }
    const build = (current: KubeObject): unknown => {
      if (ref.subresource === 'scale') return withScale(type, current, applyPatchTo(type, scaleOf(type, current), patch));
      return applyPatchTo(type, current, patch);
    };
    return { object: await this.#change(type, ref, build, options, context, isApply), created: false };
  }

  async delete(ref: ResourceRef, options: DeleteOptions = {}, context: RequestContext = {}): Promise<{ object: KubeObject; removed: boolean }> {
    const type = requireType(this.registry, ref);
    const key = keyOf(type, ref);
    return this.#untilWritten(type, ref, async () => {
      const current = this.#existing(type, ref);
      checkPreconditions(type, current, options);
      const request = { operation: 'delete' as const, type, ref, object: undefined, current, deleteOptions: options, dryRun: options.dryRun ?? false, context };
      await this.#admission.validate(request);
      const plan = planDeletion(type, current, options, this.#source.now(), this.#collected);
      if (plan.step === 'nothing') return { object: inVersion(current, type), removed: false };
      if (plan.step === 'mark') {
        const object = request.dryRun ? plan.object : await this.store.update(key, plan.object, current.metadata.resourceVersion);
        return { object: inVersion(object, type), removed: false };
      }
      if (request.dryRun) return { object: inVersion(current, type), removed: true };
      if (isDefinition(type)) await this.#removeInstances(current);
      return { object: inVersion(await this.store.remove(key, current.metadata.resourceVersion), type), removed: true };
    });
  }

  async deleteCollection(ref: ResourceRef, list: ListOptions, options: DeleteOptions = {}, context: RequestContext = {}): Promise<KubeList> {
    const found = await this.list(ref, list);
    const items: KubeObject[] = [];
    for (const item of found.items) {
      const target = { ...ref, name: item.metadata.name, ...(item.metadata.namespace === undefined ? {} : { namespace: item.metadata.namespace }) };
      try {
        items.push((await this.delete(target, options, context)).object);
      } catch (error) {
        // Someone else was faster; the aim is reached.
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }
    return { ...found, items };
  }

  async #change(
    type: ResourceType, ref: ResourceRef, build: (current: KubeObject) => unknown, options: WriteOptions, context: RequestContext, isApply = false,
  ): Promise<KubeObject> {
    const key = keyOf(type, ref);
    // Replicas are part of the object itself, so a write through `scale` is a write of the object.
    const target = ref.subresource === 'scale' && hasScale(type) ? withoutSubresource(ref) : ref;
    return this.#untilWritten(type, ref, async () => {
      const current = this.#existing(type, ref);
      const next = prepareUpdate(type, target, inVersion(current, type), build(inVersion(current, type)));
      this.#complete(type, next, options, context);
      const request = { operation: 'update' as const, type, ref, object: next, current, deleteOptions: undefined, dryRun: options.dryRun ?? false, context };
      await this.#admission.mutate(request);
      type.strategy?.setDefaults?.(next);
      bumpGeneration(type, next, current);
      validateObject(next, current, type, type.schema === undefined ? [] : schemaErrors(next, type.schema));
      await this.#admission.validate(request);
      const version = current.metadata.resourceVersion;
      const answer = (object: KubeObject): KubeObject => (ref.subresource === 'scale' ? scaleOf(type, object) : inVersion(object, type));
      if (isUnchanged(next, current)) return answer(current);
      if (isApply) Object.assign(next, recordApply(next, type, options, this.#source.now()));
      if (request.dryRun) return answer(next);
      if (isReleased(type, next, this.#collected)) return answer(await this.store.remove(key, version));
      return answer(await this.store.update(key, next, version));
    });
  }

  /** Repeats on Conflict: what a caller's own version forbids fails in `attempt` again, before it writes. */
  async #untilWritten<T>(type: ResourceType, ref: ResourceRef, attempt: () => Promise<T>): Promise<T> {
    let last: ApiError | undefined;
    for (let i = 0; i < ATTEMPTS; i += 1) {
      const before = this.store.get(keyOf(type, ref))?.metadata.resourceVersion;
      try {
        return await attempt();
      } catch (error) {
        if (!isApiError(error, 'Conflict') || this.store.get(keyOf(type, ref))?.metadata.resourceVersion === before) throw error;
        last = error;
      }
    }
    throw last ?? conflict(subjectOf(type, ref), 'too many writers');
  }

  #existing(type: ResourceType, ref: ResourceRef): KubeObject {
    const object = this.store.get(keyOf(type, ref));
    if (object === undefined) throw notFound(subjectOf(type, ref));
    return object;
  }

  #complete(type: ResourceType, object: KubeObject, options: WriteOptions, context: RequestContext): void {
    if (type.deprecationWarning !== undefined) context.warn?.(type.deprecationWarning);
    for (const warning of complete(type, object, options)) context.warn?.(warning);
  }

  async #removeInstances(definition: KubeObject): Promise<void> {
    const resource = instancesOf(definition);
    for (const item of this.store.list({ resource }).items) {
      const key = { resource, namespace: item.metadata.namespace ?? '', name: item.metadata.name };
      await this.store.remove(key, this.store.get(key)?.metadata.resourceVersion ?? '');
    }
  }
}

function keyOf(type: ResourceType, ref: ResourceRef): ObjectKey {
  return { resource: storageName(type), namespace: type.namespaced ? ref.namespace ?? '' : '', name: ref.name ?? '' };
}

function subjectOf(type: ResourceType, ref: ResourceRef): { resource: string; group: string; name: string } {
  return { resource: type.plural, group: type.group, name: ref.name ?? '' };
}

function withoutSubresource(ref: ResourceRef): ResourceRef {
  const { subresource: _scale, ...object } = ref;
  return object;
}
