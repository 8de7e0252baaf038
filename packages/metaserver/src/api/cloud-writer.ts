import {
  apiVersionOf, badRequest, isApiError, type DeleteOptions, type DraftObject, type KubeObject, type PatchRequest, type PatchType, type ResourceRef, type ResourceType,
  type WriteOptions, type WriteResult,
} from '@edge/kubeapi';
import type { KubeObject as CloudObject } from '@edge/protocol';
import { applicationKey, type ApplicationRequest } from '../cloud/application.js';
import type { CloudApi } from '../cloud/cloud-api.js';
import type { CloudReader } from '../cloud/cloud-reader.js';
import { readObject } from '../cloud/listing.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { metaServerError } from '../errors.js';
import { cloudVersionOf, keyOfRef, stepsWithCloudVersion, withCloudVersion } from './cloud-versions.js';

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json', merge: 'application/merge-patch+json', strategic: 'application/strategic-merge-patch+json', apply: 'application/apply-patch+yaml',
};

/** Changes objects in the cloud; what it answers is in the copy before the client hears of it. [metaserver-7] */
export class CloudWriter {
  readonly #cloud: CloudApi;
  readonly #reader: CloudReader;
  readonly #copy: ObjectCopy;
  readonly #signal: AbortSignal;

  constructor(deps: { cloud: CloudApi; reader: CloudReader; copy: ObjectCopy; signal: AbortSignal }) {
    this.#cloud = deps.cloud;
    this.#reader = deps.reader;
    this.#copy = deps.copy;
    this.#signal = deps.signal;
  }

  async getSubresource(ref: ResourceRef): Promise<KubeObject> {
    const request = { key: applicationKey(ref), verb: 'get' as const, option: {}, subresource: ref.subresource ?? '' };
    return required(await this.#cloud.ask(request), request) as unknown as KubeObject;
  }

  async create(type: ResourceType, ref: ResourceRef, draft: DraftObject, options: WriteOptions): Promise<KubeObject> {
    const body = complete(type, ref, draft);
    // The object's own name tells the cloud nothing that the body does not; upstream's key has none either.
    const key = applicationKey(ref.subresource === undefined ? { ...ref, name: undefined as never } : ref);
    return this.#object(type, ref, { key, verb: 'create', option: optionsOf(options), body, subresource: ref.subresource ?? '' }, options);
  }

  async update(type: ResourceType, ref: ResourceRef, draft: DraftObject, options: WriteOptions): Promise<WriteResult> {
    const body = withCloudVersion(this.#copy, type, keyOfRef(type, ref), complete(type, ref, draft));
    const isStatus = ref.subresource === 'status';
    const request: ApplicationRequest = { key: applicationKey(ref), verb: isStatus ? 'updatestatus' : 'update', option: optionsOf(options), body, subresource: ref.subresource ?? '' };
    return { object: await this.#object(type, ref, request, options), created: false };
  }

  async patch(type: ResourceType, ref: ResourceRef, patch: PatchRequest, options: WriteOptions): Promise<WriteResult> {
    const key = keyOfRef(type, ref);
    const body = patch.type === 'json' ? stepsWithCloudVersion(this.#copy, type, key, patch.body) : withCloudVersion(this.#copy, type, key, patch.body);
    const option = {
      Name: ref.name ?? '', PatchType: PATCH_TYPES[patch.type], Data: Buffer.from(JSON.stringify(body), 'utf8').toString('base64'),
      Options: { kind: 'PatchOptions', apiVersion: 'meta.k8s.io/v1', ...optionsOf(options), ...(patch.force === undefined ? {} : { force: patch.force }) },
      Subresources: [ref.subresource ?? ''],
    };
    const wasThere = this.#copy.store.get(key) !== undefined;
    const object = await this.#object(type, ref, { key: applicationKey(ref), verb: 'patch', option, subresource: ref.subresource ?? '' }, options);
    // Only apply creates, and a first version tells nothing of what was there before.
    return { object, created: patch.type === 'apply' && !wasThere && object.metadata.generation === 1 };
  }

  /** The cloud says no more than that it did it, so the object is looked at once more: it may have only begun to end. */
  async delete(type: ResourceType, ref: ResourceRef, options: DeleteOptions): Promise<{ object: KubeObject; removed: boolean }> {
    const key = keyOfRef(type, ref);
    const { preconditions, dryRun, ...rest } = options;
    const version = cloudVersionOf(this.#copy, type, key, preconditions?.resourceVersion);
    const only = { ...(preconditions?.uid === undefined ? {} : { uid: preconditions.uid }), ...(version === undefined ? {} : { resourceVersion: version }) };
    const option = { ...rest, ...(Object.keys(only).length > 0 ? { preconditions: only } : {}), ...(dryRun === true ? { dryRun: ['All'] } : {}) };
    const before = this.#copy.store.get(key);
    await this.#cloud.ask({ key: applicationKey(ref), verb: 'delete', option });
    const last = before ?? outline(type, ref);
    if (dryRun === true) return { object: last, removed: true };
    try {
      const loose = await this.#reader.get(this.#copy, type, ref, this.#signal);
      return { object: this.#copy.store.get(key) ?? (loose as KubeObject | undefined) ?? last, removed: false };
    } catch (error) {
      if (isApiError(error, 'NotFound')) return { object: last, removed: true };
      throw error;
    }
  }

  async #object(type: ResourceType, ref: ResourceRef, request: ApplicationRequest, options: WriteOptions): Promise<KubeObject> {
    const answer = required(await this.#cloud.ask(request), request);
    const isWhole = answer.kind === type.kind && (ref.subresource === undefined || ref.subresource === 'status') && (answer.metadata.resourceVersion ?? '') !== '';
    // A dry run changes nothing, and a Binding, a Scale or a token is not the object.
    if (options.dryRun === true || !isWhole) return answer as unknown as KubeObject;
    await this.#reader.keep(this.#copy, [answer], this.#signal);
    return this.#copy.store.get(keyOfRef(type, ref, answer.metadata.name)) ?? (answer as unknown as KubeObject);
  }
}

function required(text: string | undefined, { verb, key }: ApplicationRequest): CloudObject {
  const object = readObject(text);
  if (object === undefined) throw metaServerError('metaserver.malformed', `the cloud's answer to ${verb} ${key} is no object`);
  return object;
}

function optionsOf({ dryRun, fieldManager, fieldValidation }: WriteOptions): Readonly<Record<string, unknown>> {
  return {
    ...(dryRun === true ? { dryRun: ['All'] } : {}), ...(fieldManager === undefined ? {} : { fieldManager }), ...(fieldValidation === undefined ? {} : { fieldValidation }),
  };
}

/** With what the path says and the body may leave out. @throws ApiError BadRequest */
function complete(type: ResourceType, ref: ResourceRef, draft: DraftObject): DraftObject {
  if (typeof draft !== 'object' || draft === null || Array.isArray(draft)) throw badRequest('the body must be an object');
  const ofSubresource = type.subresources?.find(({ name }) => name === ref.subresource)?.kind;
  const kind = ofSubresource ?? { group: type.group, version: type.version, kind: type.kind };
  const metadata = { ...(type.namespaced && ref.namespace !== undefined ? { namespace: ref.namespace } : {}), ...draft.metadata };
  if (ref.name !== undefined && metadata.name !== undefined && metadata.name !== ref.name) throw badRequest(`the name of the object (${JSON.stringify(metadata.name)}) is not that of the path (${JSON.stringify(ref.name)})`);
  return { ...draft, apiVersion: draft.apiVersion ?? apiVersionOf(kind), kind: draft.kind ?? kind.kind, metadata: { ...metadata, ...(ref.name === undefined ? {} : { name: ref.name }) } };
}

function outline(type: ResourceType, { name = '', namespace }: ResourceRef): KubeObject {
  return { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid: '', resourceVersion: '', creationTimestamp: '' } };
}
