import {
  apiVersionOf, isApiError, type DeleteOptions, type DraftObject, type KubeObject, type PatchRequest, type ResourceRef, type ResourceType,
  type WriteOptions, type WriteResult,
} from '@edge/kubeapi';
import type { KubeObject as CloudObject } from '@edge/protocol';
import { applicationKey, type ApplicationRequest } from '../cloud/application.js';
import { isOutage, type CloudApi } from '../cloud/cloud-api.js';
import type { CloudReader } from '../cloud/cloud-reader.js';
import { readObject } from '../cloud/listing.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { metaServerError } from '../errors.js';
import { keyOfRef } from './cloud-versions.js';
import { writeRequests } from './write-requests.js';

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

  create(type: ResourceType, ref: ResourceRef, draft: DraftObject, options: WriteOptions): Promise<KubeObject> {
    return this.#object(type, ref, writeRequests.create(type, ref, draft, options), options);
  }

  async update(type: ResourceType, ref: ResourceRef, draft: DraftObject, options: WriteOptions): Promise<WriteResult> {
    return { object: await this.#object(type, ref, writeRequests.update(this.#copy, type, ref, draft, options), options), created: false };
  }

  async patch(type: ResourceType, ref: ResourceRef, patch: PatchRequest, options: WriteOptions): Promise<WriteResult> {
    const wasThere = this.#copy.store.get(keyOfRef(type, ref)) !== undefined;
    const object = await this.#object(type, ref, writeRequests.patch(this.#copy, type, ref, patch, options), options);
    // Only apply creates, and a first version tells nothing of what was there before.
    return { object, created: patch.type === 'apply' && !wasThere && object.metadata.generation === 1 };
  }

  /** The cloud says no more than that it did it, so the object is looked at once more: it may have only begun to end. */
  async delete(type: ResourceType, ref: ResourceRef, options: DeleteOptions): Promise<{ object: KubeObject; removed: boolean }> {
    const key = keyOfRef(type, ref);
    const before = this.#copy.store.get(key);
    await this.#cloud.ask(writeRequests.delete(this.#copy, type, ref, options));
    const last = before ?? outline(type, ref);
    if (options.dryRun === true) return { object: last, removed: true };
    try {
      const loose = await this.#reader.get(this.#copy, type, ref, this.#signal);
      return { object: this.#copy.store.get(key) ?? (loose as KubeObject | undefined) ?? last, removed: false };
    } catch (error) {
      // Deleted it is, even where the node cannot see what became of it.
      if (isApiError(error) || isOutage(error)) return { object: last, removed: isApiError(error, 'NotFound') };
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

function outline(type: ResourceType, { name = '', namespace }: ResourceRef): KubeObject {
  return { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid: '', resourceVersion: '', creationTimestamp: '' } };
}
