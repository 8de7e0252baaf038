import { createResponse, formatResource, Modules, OK, parseResource, type Message } from '@edge/protocol';
import { isKubeObject } from '../decide/content.js';
import { metaManagerError } from '../errors.js';
import type { MetaObjects } from '../meta-objects.js';
import type { Neighbours } from '../neighbours.js';

/**
 * Changes of a Device on the node itself, from the local API: stored and passed to the twin, and nothing of it goes to the
 * cloud. The message names no device; its content does. [metamanager-14]
 */
export class DeviceEditHandler {
  readonly #objects: MetaObjects;
  readonly #neighbours: Neighbours;

  constructor(deps: { objects: MetaObjects; neighbours: Neighbours }) {
    this.#objects = deps.objects;
    this.#neighbours = deps.neighbours;
  }

  /**
   * Answers `OK` after the commit.
   * @throws EdgeError `metamanager.malformed` when the content is no device; `metamanager.not-here` for a device that is not
   * of this node; `metamanager.outdated` when a newer state is stored; the store's when it could not be committed
   */
  async handle(message: Message): Promise<Message> {
    const { content: object } = message;
    const { namespace, type } = parseResource(message.route.resource);
    if (!isKubeObject(object) || typeof object.metadata.name !== 'string' || object.metadata.name === '' || object.metadata.namespace !== namespace) {
      throw metaManagerError('metamanager.malformed', `${message.route.resource} cannot be stored: its content is no device of namespace ${JSON.stringify(namespace)} with a name`);
    }
    const path = { namespace, type, name: object.metadata.name };
    const resource = formatResource(path);
    const decision = await this.#objects.edit(path, object);
    if (decision === 'unknown') throw metaManagerError('metamanager.not-here', `${resource} is not on this node`);
    if (decision === 'outdated') throw metaManagerError('metamanager.outdated', `${resource} has changed meanwhile: the change is of version ${JSON.stringify(object.metadata.resourceVersion)}`);
    await this.#neighbours.pass('twin', { ...message, route: { ...message.route, resource } });
    return createResponse(message, OK, { source: Modules.metaManager });
  }
}
