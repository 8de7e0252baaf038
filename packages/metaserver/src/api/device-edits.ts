import { errorText, type MessageBus, type NodeIdentity } from '@edge/core';
import { ApiError, badRequest, type KubeApi, type KubeObject, type ResourceRef, type WriteResult } from '@edge/kubeapi';
import { createMessage, Groups, isFields, Modules, Operations, type Fields } from '@edge/protocol';
import type { Feed } from '../copy/feed.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { keyOfRef } from './cloud-versions.js';

/** Upstream's; the twin tells its mappers after that. */
const PATIENCE_MS = 60_000;
/** Resource type of a device in messages, and the literal word that upstream has in place of the name. */
const EDITED = 'device/updated';

export interface DeviceEditsDeps {
  readonly bus: MessageBus;
  readonly identity: NodeIdentity;
  readonly copy: ObjectCopy;
  readonly feed: Feed;
  /** The copy as an API: says what a change would make of what the node has. */
  readonly local: KubeApi;
  readonly signal: AbortSignal;
}

/**
 * Changes of this node's devices on the node itself: they are stored and reach the mappers, with or without the cloud, which
 * never hears of them. The cloud's next change of the device goes over them. [metaserver-34]
 */
export class DeviceEdits {
  readonly #deps: DeviceEditsDeps;

  constructor(deps: DeviceEditsDeps) {
    this.#deps = deps;
  }

  /** True for a whole device that is of this node. */
  covers(ref: ResourceRef): boolean {
    return isDevice(ref) && this.#nodeOf(this.#stored(ref)) === this.#deps.identity.name;
  }

  /**
   * @param make says by the copy, as a dry run, what becomes of the device
   * @returns the device as clients see it afterwards
   * @throws ApiError what `make` throws; BadRequest for a device that is not of this node or would leave it;
   * ServiceUnavailable when it could not be stored
   */
  async change(ref: ResourceRef, make: (local: KubeApi) => Promise<WriteResult>, isDryRun: boolean): Promise<WriteResult> {
    const { copy, local, identity, feed, signal } = this.#deps;
    const before = await local.get(ref);
    const { object } = await make(local);
    if (this.#nodeOf(before) !== identity.name) throw badRequest(`devices.devices.kubeedge.io ${JSON.stringify(ref.name)} belongs to node ${JSON.stringify(this.#nodeOf(before) ?? '')}, only devices of ${identity.name} are changed here`);
    if (this.#nodeOf(object) !== identity.name) throw badRequest(`spec.nodeName is ${JSON.stringify(this.#nodeOf(object) ?? '')}, it must stay ${JSON.stringify(identity.name)}: a device is moved in the cloud`);
    if (isDryRun) return { object, created: false };
    const origin = copy.origin(this.#key(ref));
    await this.#send({ ...object, metadata: { ...object.metadata, resourceVersion: origin?.cloudVersion ?? '' } });
    // Whoever reads after the answer sees the change.
    await feed.record([], [], signal);
    return { object: this.#stored(ref) ?? object, created: false };
  }

  async #send(content: KubeObject): Promise<void> {
    const { bus, signal } = this.#deps;
    const message = createMessage({ source: Modules.metaManager, group: Groups.twin, operation: Operations.update, resource: `${content.metadata.namespace ?? ''}/${EDITED}`, content });
    let answer;
    try {
      answer = await bus.request({ group: Groups.meta }, message, { timeoutMs: PATIENCE_MS, signal });
    } catch (error) {
      throw notStored(errorText(error), error);
    }
    if (answer.route.operation === Operations.error) throw notStored(String(answer.content));
  }

  #key(ref: ResourceRef): ReturnType<typeof keyOfRef> {
    const type = this.#deps.local.registry.find(ref);
    return type === undefined ? { resource: '', namespace: '', name: '' } : keyOfRef(type, ref);
  }

  #stored(ref: ResourceRef): KubeObject | undefined {
    return this.#deps.copy.store.get(this.#key(ref));
  }

  #nodeOf(object: (KubeObject & { spec?: Fields }) | undefined): unknown {
    return isFields(object?.spec) ? object.spec.nodeName : undefined;
  }
}

/** Whether a path names one whole device. */
export function isDevice({ group, resource, namespace, name, subresource }: ResourceRef): boolean {
  return group === 'devices.kubeedge.io' && resource === 'devices' && namespace !== undefined && name !== undefined && subresource === undefined;
}

function notStored(why: string, cause?: unknown): ApiError {
  return new ApiError('ServiceUnavailable', `the device was not changed: ${why}`, {}, { cause });
}
