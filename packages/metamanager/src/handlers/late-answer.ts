import type { Logger } from '@edge/core';
import { formatResource, Operations, parseResource, podHasVanished, ResourceTypes, type Message, type ResourcePath } from '@edge/protocol';
import { answerNeedsAck } from '../decide/acknowledge.js';
import { classifyContent } from '../decide/content.js';
import { patchedUid } from '../decide/vanished.js';
import type { MetaObjects } from '../meta-objects.js';
import type { Neighbours } from '../neighbours.js';
import type { ObjectFetcher } from '../object-fetcher.js';
import type { TokenFetcher } from '../tokens/token-fetcher.js';
import type { PodInquiries } from './pod-inquiries.js';

/** Type of a patch resource → type of the object that is patched. */
const PATCHED: Readonly<Record<string, string>> = {
  [ResourceTypes.podPatch]: ResourceTypes.pod,
  [ResourceTypes.nodePatch]: ResourceTypes.node,
};

/**
 * Answers that nobody waits for on the bus: to messages that went through the durable outbox, and those that came after
 * their asker had given up. [metamanager-4]
 */
export class LateAnswerHandler {
  readonly #objects: MetaObjects;
  readonly #fetcher: ObjectFetcher;
  readonly #tokens: TokenFetcher;
  readonly #inquiries: PodInquiries;
  readonly #neighbours: Neighbours;
  readonly #log: Logger;

  constructor(deps: { objects: MetaObjects; fetcher: ObjectFetcher; tokens: TokenFetcher; inquiries: PodInquiries; neighbours: Neighbours; log: Logger }) {
    this.#objects = deps.objects;
    this.#fetcher = deps.fetcher;
    this.#tokens = deps.tokens;
    this.#inquiries = deps.inquiries;
    this.#neighbours = deps.neighbours;
    this.#log = deps.log;
  }

  async handle(message: Message): Promise<void> {
    const path = parseResource(message.route.resource);
    const patched = PATCHED[path.type];
    if (patched) return this.#patchAnswer(message, { ...path, type: patched });
    if (path.type === ResourceTypes.pod) return this.#podAnswer(message, path);
    if (message.route.operation === Operations.error) return this.#ignore(message);
    if (path.type === ResourceTypes.serviceAccountToken) return this.#tokens.keep(message);
    if (answerNeedsAck(path.type)) return this.#objectAnswer(message, path);
    // A lease or a node that was written: the next renewal or push brings the present state.
    this.#ignore(message);
  }

  /** Stores the object that a status patch made, unless something newer or another object is there, and tells edged. */
  async #patchAnswer(message: Message, path: ResourcePath): Promise<void> {
    const content = classifyContent(path.type, message.content);
    const inquired = this.#inquiries.take(message.header.parentId);
    if (content.form === 'object') {
      const isFound = inquired !== undefined && content.object.metadata.uid === inquired && !this.#objects.identity(path);
      await this.#objects.upsert({ path, object: content.object, headerVersion: message.header.resourceVersion, origin: isFound ? 'answer' : 'patch-answer' });
    }
    await this.#neighbours.pass('edged', message);
    if (content.form === 'error' && path.type === ResourceTypes.pod && podHasVanished(content.status, path.name)) await this.#vanished(path);
  }

  /**
   * The API no longer has the pod that was patched. Mostly the cloud's delete is on its way; after a deletion of the Node
   * it has forgotten what it sent here and none comes, so nobody else would ever end the pod.
   */
  async #vanished(path: ResourcePath): Promise<void> {
    const uid = patchedUid(this.#objects.value(formatResource({ ...path, type: ResourceTypes.podPatch })));
    if (uid === undefined || uid !== this.#objects.identity(path)?.uid) return;
    const stub = { metadata: { name: path.name, namespace: path.namespace, uid } };
    if ((await this.#objects.remove(path, stub)) === 'removed') await this.#neighbours.announce(formatResource(path), 'delete', stub);
  }

  /** The answer to a delete or to the creation of a mirror pod; rows of deleted pods go when the cloud's delete comes. */
  async #podAnswer(message: Message, path: ResourcePath): Promise<void> {
    const content = classifyContent(path.type, message.content);
    if (content.form === 'object') {
      await this.#objects.upsert({ path, object: content.object, headerVersion: message.header.resourceVersion, origin: 'answer' });
    }
    await this.#neighbours.pass('edged', message);
  }

  async #objectAnswer(message: Message, path: ResourcePath): Promise<void> {
    const change = await this.#fetcher.take(message, undefined);
    if (change !== 'created' && change !== 'replaced') return;
    const object = this.#objects.object(path);
    if (object) await this.#neighbours.announce(formatResource(path), 'update', object);
  }

  #ignore(message: Message): void {
    this.#log.verbose(2, 'answer came after its asker had given up', { operation: message.route.operation, resource: message.route.resource });
  }
}
