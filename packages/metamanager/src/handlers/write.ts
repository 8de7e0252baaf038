import { createErrorResponse, formatResource, Modules, parseResource, type Message } from '@edge/protocol';
import { errorCode, errorText } from '@edge/core';
import type { Cloud } from '../cloud.js';
import { classifyContent } from '../decide/content.js';
import type { MetaObjects } from '../meta-objects.js';
import { relay } from './relay.js';

/**
 * Objects that the node creates or changes in the cloud: node, lease, mirror pods. Nothing is stored before the cloud
 * has said yes, and then its version of the object is stored. [metamanager-3]
 */
export class WriteHandler {
  readonly #objects: MetaObjects;
  readonly #cloud: Cloud;

  constructor(deps: { objects: MetaObjects; cloud: Cloud }) {
    this.#objects = deps.objects;
    this.#cloud = deps.cloud;
  }

  async handle(message: Message): Promise<Message> {
    const path = parseResource(message.route.resource);
    let answer: Message;
    try {
      answer = await this.#cloud.ask({ ...message, route: { ...message.route, resource: formatResource(path) } });
    } catch (error) {
      if (errorCode(error) === 'core.aborted') throw error;
      return createErrorResponse(message, errorText(error), { source: Modules.metaManager });
    }
    const content = classifyContent(path.type, answer.content);
    if (content.form === 'object') {
      await this.#objects.upsert({ path, object: content.object, headerVersion: answer.header.resourceVersion, origin: 'answer' });
    }
    return relay(message, answer);
  }
}
