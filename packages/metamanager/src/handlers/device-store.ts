import type { Logger } from '@edge/core';
import { createResponse, encodeJson, isFields, Modules, Operations, type Message } from '@edge/protocol';
import { metaManagerError } from '../errors.js';
import type { MetaObjects } from '../meta-objects.js';

const TYPE = 'devicemapper';

/** A row as the device twin gets it. */
interface StoredItem {
  readonly key: string;
  readonly value: unknown;
}

/** The device twin's way to the rows about devices and mappers, without the cloud. [metamanager-10] */
export class DeviceStoreHandler {
  readonly #objects: MetaObjects;
  readonly #log: Logger;

  constructor(deps: { objects: MetaObjects; log: Logger }) {
    this.#objects = deps.objects;
    this.#log = deps.log;
  }

  /** Everything stored of the type that the resource names, by key. Rows that are no JSON are passed over. */
  list(message: Message): Message {
    const type = message.route.resource.slice(message.route.resource.indexOf('/') + 1);
    const items: StoredItem[] = this.#objects.rowsOf(type).flatMap(({ key, value }) => {
      try {
        return [{ key, value: JSON.parse(value) as unknown }];
      } catch {
        this.#log.warn('a row of the database is no JSON and is passed over', { resource: key, characters: value.length });
        return [];
      }
    });
    return createResponse(message, { items }, { source: Modules.metaManager });
  }

  /**
   * Keeps or forgets a mapper; answered after the commit. The key is the resource as it came: upstream's has literal words
   * where others have names.
   * @throws EdgeError `metamanager.malformed` when the content is no object
   */
  async record(message: Message): Promise<Message> {
    const { operation, resource } = message.route;
    if (operation === Operations.delete) await this.#objects.removeValue(resource);
    else if (isFields(message.content)) await this.#objects.putValue(resource, TYPE, encodeJson(message.content));
    else throw metaManagerError('metamanager.malformed', `${operation} ${resource} cannot be stored: its content is no object`);
    return createResponse(message, 'OK', { source: Modules.metaManager });
  }
}
