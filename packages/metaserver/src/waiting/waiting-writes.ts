import { apiVersionOf, ApiError, type DeleteOptions, type DraftObject, type KubeApi, type KubeObject, type PatchRequest, type RequestContext, type ResourceRef, type ResourceType, type WriteOptions, type WriteResult } from '@edge/kubeapi';
import { keyOfRef } from '../api/cloud-versions.js';
import { writeRequests } from '../api/write-requests.js';
import type { ApplicationRequest } from '../cloud/application.js';
import { placeOf } from '../copy/journal.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { whyNotLater } from './can-wait.js';
import type { Replay } from './replay.js';
import type { WaitingQueue } from './waiting-queue.js';
import type { WaitingRequests } from './waiting-requests.js';

export interface WaitingWritesDeps {
  readonly queue: WaitingQueue;
  readonly requests: WaitingRequests;
  readonly replay: Replay;
  readonly copy: ObjectCopy;
  /** The copy as an API: says what a change would make of what the node has. */
  readonly local: KubeApi;
}

/** Where a change is on its way. */
export interface Way {
  readonly type: ResourceType;
  readonly ref: ResourceRef;
  readonly context: RequestContext;
  /** It went to the cloud already, and no answer came. */
  readonly isTried: boolean;
}

/**
 * Changes whose clients have asked to wait for the cloud. They are checked by what the node has, kept, and answered with what they
 * would make of it. [metaserver-33]
 */
export class WaitingWrites {
  readonly #deps: WaitingWritesDeps;

  constructor(deps: WaitingWritesDeps) {
    this.#deps = deps;
  }

  isWilling(context: RequestContext): boolean {
    return this.#deps.requests.isWilling(context);
  }

  /** True while an earlier change of the object waits. */
  holds(type: ResourceType, ref: ResourceRef, name: string | undefined): boolean {
    return name !== undefined && this.#deps.queue.waitsFor(placeOf(keyOfRef(type, ref, name)));
  }

  async create(way: Way, draft: DraftObject, options: WriteOptions): Promise<KubeObject> {
    const { type, ref, context } = way;
    const request = writeRequests.create(type, ref, draft, options);
    const name = (request.body as DraftObject).metadata?.name;
    this.#check(way, name, options.dryRun);
    const made = await this.#deps.local.create(ref, draft, { ...options, dryRun: true }, context);
    await this.#keep(way, name, request);
    // The cloud gives it a uid and a version when it is made.
    const { uid: _uid, resourceVersion: _version, ...metadata } = made.metadata;
    return { ...made, metadata } as KubeObject;
  }

  async update(way: Way, draft: DraftObject, options: WriteOptions): Promise<WriteResult> {
    const { copy, local } = this.#deps;
    this.#check(way, way.ref.name, options.dryRun);
    const request = writeRequests.update(copy, way.type, way.ref, draft, options);
    const result = await local.update(way.ref, draft, { ...options, dryRun: true }, way.context);
    await this.#keep(way, way.ref.name, request);
    return result;
  }

  async patch(way: Way, patch: PatchRequest, options: WriteOptions): Promise<WriteResult> {
    const { copy, local } = this.#deps;
    this.#check(way, way.ref.name, options.dryRun);
    const request = writeRequests.patch(copy, way.type, way.ref, patch, options);
    const result = await local.patch(way.ref, patch, { ...options, dryRun: true }, way.context);
    await this.#keep(way, way.ref.name, request);
    return result;
  }

  async delete(way: Way, options: DeleteOptions): Promise<{ object: KubeObject; removed: boolean }> {
    const { copy, local } = this.#deps;
    this.#check(way, way.ref.name, options.dryRun);
    const there = await local.get(way.ref);
    // The object that is there now, and not another one that has its name by then.
    const request = writeRequests.delete(copy, way.type, way.ref, { ...options, preconditions: { uid: there.metadata.uid, ...options.preconditions } });
    await this.#keep(way, way.ref.name, request);
    return { object: there, removed: false };
  }

  #check({ type, ref }: Way, name: string | undefined, dryRun: boolean | undefined): void {
    const why = whyNotLater({ type, ref, name, dryRun });
    if (why !== undefined) throw new ApiError('ServiceUnavailable', `the cloud is away, and this cannot wait for it: ${why}`);
  }

  async #keep({ type, ref, context, isTried }: Way, name: string | undefined, request: ApplicationRequest): Promise<void> {
    const { queue, requests, replay } = this.#deps;
    const id = await queue.add({ place: placeOf(keyOfRef(type, ref, name)), apiVersion: apiVersionOf(type), kind: type.kind, user: context.user?.name ?? '', request, isTried });
    replay.wake();
    requests.tell(context, id);
  }
}
