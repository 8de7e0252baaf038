import { errorCode, type Logger } from '@edge/core';
import { formatResource, Operations, parseResource, ResourceTypes, Sources, type KubeObject, type Message, type ResourcePath } from '@edge/protocol';
import type { Cloud } from '../cloud.js';
import { classifyContent, isKubeObject } from '../decide/content.js';
import { destinationOf } from '../decide/forward.js';
import type { RemovalDecision } from '../decide/removal.js';
import { Tombstones } from '../decide/tombstones.js';
import type { UpsertDecision } from '../decide/upsert.js';
import { metaManagerError } from '../errors.js';
import type { MetaObjects } from '../meta-objects.js';
import type { Neighbours } from '../neighbours.js';
import type { ObjectFetcher } from '../object-fetcher.js';
import type { Freshness } from '../reconcile/freshness.js';
import { completeObject } from '../values/object-types.js';

type Outcome = UpsertDecision | RemovalDecision | 'buried';

/**
 * Objects that the cloud sends on its own. First the disk, then the acknowledgement, then whoever is concerned.
 * [metamanager-1]
 */
export class PushHandler {
  readonly #objects: MetaObjects;
  readonly #cloud: Cloud;
  readonly #neighbours: Neighbours;
  readonly #freshness: Freshness;
  readonly #fetcher: ObjectFetcher;
  readonly #log: Logger;
  readonly #tombstones = new Tombstones();

  constructor(deps: { objects: MetaObjects; cloud: Cloud; neighbours: Neighbours; freshness: Freshness; fetcher: ObjectFetcher; log: Logger }) {
    this.#objects = deps.objects;
    this.#cloud = deps.cloud;
    this.#neighbours = deps.neighbours;
    this.#freshness = deps.freshness;
    this.#fetcher = deps.fetcher;
    this.#log = deps.log;
  }

  /** @throws EdgeError `metamanager.malformed` or ProtocolError after the acknowledgement, so that core sets the message aside */
  async handle(message: Message): Promise<void> {
    let outcome: Outcome | undefined;
    let path: ResourcePath;
    try {
      path = parseResource(message.route.resource);
      outcome = await this.#store(message, path);
    } catch (error) {
      if (!isHopeless(error)) return this.#cloud.refuse(message, error);
      // It will never be otherwise: not acknowledging it would hold up everything behind it for ever.
      await this.#cloud.acknowledge(message);
      throw error;
    }
    this.#freshness.confirm(path);
    if (message.route.operation !== Operations.delete) this.#fetcher.overtaken(formatResource(path));
    const destination = destinationOf({ source: message.route.source, type: path.type }, outcome);
    await Promise.all([this.#cloud.acknowledge(message), this.#neighbours.pass(destination, this.#told(message, path, outcome))]);
  }

  /** An operation that nobody knows: acknowledged, or the cloud would repeat it for ever and hold back what is behind it. */
  async handleUnknown(message: Message): Promise<void> {
    this.#log.verbose(1, 'a push with an unknown operation is acknowledged and left alone', {
      operation: message.route.operation,
      resource: message.route.resource,
    });
    await this.#cloud.acknowledge(message);
  }

  /** A state that the cloud repeats is told as it is stored: a device may have been changed here since. */
  #told(message: Message, path: ResourcePath, outcome: Outcome): Message {
    const stored = outcome === 'same' && path.type === ResourceTypes.device ? this.#objects.object(path) : undefined;
    return stored === undefined ? completed(message, path.type) : { ...message, content: completeObject(path.type, stored) };
  }

  async #store(message: Message, path: ResourcePath): Promise<Outcome> {
    if (message.route.operation === Operations.delete) return this.#remove(path, message.content);
    const content = classifyContent(path.type, message.content);
    if (content.form === 'object') return this.#upsert(path, content.object, message);
    if (content.form === 'value') {
      await this.#objects.putValue(message.route.resource, path.type, content.value);
      return 'replaced';
    }
    const why = content.form === 'malformed' ? content.why : content.form === 'error' ? `it holds an error: ${content.status.message}` : 'it is empty';
    throw metaManagerError('metamanager.malformed', `${message.route.operation} ${message.route.resource} cannot be stored: ${why}`);
  }

  async #upsert(path: ResourcePath, object: KubeObject, message: Message): Promise<Outcome> {
    if (path.type === ResourceTypes.pod && this.#tombstones.has(object.metadata.uid)) return 'buried';
    const isAskedFor = message.route.source === Sources.dynamicController;
    return this.#objects.upsert({ path, object, headerVersion: message.header.resourceVersion, origin: 'push', isAskedFor });
  }

  async #remove(path: ResourcePath, content: unknown): Promise<Outcome> {
    const stub = isKubeObject(content) ? content : undefined;
    if (path.type === ResourceTypes.pod) this.#tombstones.add(stub?.metadata.uid);
    return this.#objects.remove(path, stub);
  }
}

/** With kind and apiVersion, which pushes from the cloud's cache lack. */
function completed(message: Message, type: string): Message {
  if (!isKubeObject(message.content)) return message;
  const content = completeObject(type, message.content);
  return content === message.content ? message : { ...message, content };
}

/** True for what is wrong with the message itself; anything else is the disk's fault and may pass. */
function isHopeless(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'metamanager.malformed' || code.startsWith('protocol.') || error instanceof TypeError;
}
