import type { Logger } from '@edge/core';
import { createResponse, isFields, Modules, type KubeObject, type Message } from '@edge/protocol';
import { isKubeObject } from '../decide/content.js';
import { metaManagerError } from '../errors.js';
import type { MetaObjects } from '../meta-objects.js';
import type { ObjectFeed } from './object-feed.js';

const answer = (message: Message, content: unknown): Message => createResponse(message, content, { source: Modules.metaManager });

/** metaserver's way to table `meta_v2`: what is stored and changes, what it read in the cloud, documents of the cloud. [metamanager-11] */
export class LocalApiHandler {
  readonly #objects: MetaObjects;
  readonly #feed: ObjectFeed;
  readonly #log: Logger;

  constructor(deps: { objects: MetaObjects; feed: ObjectFeed; log: Logger }) {
    this.#objects = deps.objects;
    this.#feed = deps.feed;
    this.#log = deps.log;
  }

  begin(): Promise<void> {
    return this.#feed.announce();
  }

  close(): void {
    this.#feed.close();
  }

  /** Everything that is stored, or what of it begins with one of the given prefixes. */
  follow(message: Message): Message {
    const { prefixes } = isFields(message.content) ? message.content : {};
    const texts = Array.isArray(prefixes) ? prefixes.filter((prefix) => typeof prefix === 'string') : [];
    return answer(message, this.#feed.of(message.route.source).follow(texts));
  }

  /**
   * Keeps objects that the cloud answered with and forgets those it does not have, unless something newer is stored.
   * Answered after the commit with the number of the message in which the changes are told.
   * @throws EdgeError `metamanager.malformed`; the store's when it could not be committed
   */
  async record(message: Message): Promise<Message> {
    const { objects, absent } = isFields(message.content) ? message.content : {};
    await this.#objects.record(this.#readable(message, objects), this.#readable(message, absent));
    return answer(message, this.#feed.of(message.route.source).tells());
  }

  /** Documents by path, as they were received. */
  documents(message: Message): Message {
    return answer(message, { items: this.#objects.documents() });
  }

  /** @throws EdgeError `metamanager.malformed` */
  async recordDocument(message: Message): Promise<Message> {
    const { path, text } = isFields(message.content) ? message.content : {};
    if (typeof path !== 'string' || !path.startsWith('/') || typeof text !== 'string') {
      throw metaManagerError('metamanager.malformed', 'a document of the cloud needs a path that begins with "/" and a text');
    }
    await this.#objects.putDocument(path, text);
    return answer(message, 'OK');
  }

  #readable(message: Message, list: unknown): readonly KubeObject[] {
    if (list === undefined) return [];
    if (!Array.isArray(list)) throw metaManagerError('metamanager.malformed', `${message.route.operation} ${message.route.resource} needs lists of objects`);
    const objects = list.filter(isKubeObject);
    if (objects.length < list.length) this.#log.warn('what the cloud listed holds things that are no objects; they are left out', { count: list.length - objects.length });
    return objects;
  }
}
