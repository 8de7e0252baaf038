import type { MessageBus } from '@edge/core';
import { createMessage, Groups, Modules, Operations, Sources, type KubeObject, type Message } from '@edge/protocol';
import type { Destination } from './decide/forward.js';

/** Who on the node gets to hear what. Modules that are not there are no reason to complain. */
export class Neighbours {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  async pass(to: Destination, message: Message): Promise<void> {
    if (to === 'edged') await this.#send(Modules.edged, message);
    if (to === 'twin') await this.#send(Modules.deviceTwin, { ...message, route: { ...message.route, source: Sources.meta, group: Groups.twin } });
  }

  /** Tells edged of a change that we found out by asking, in the form of a push. */
  async announce(resource: string, change: 'update' | 'delete', object: KubeObject): Promise<void> {
    const message = createMessage({
      source: Sources.edgeController,
      group: Groups.resource,
      operation: change === 'delete' ? Operations.delete : Operations.update,
      resource,
      content: object,
      ...(object.metadata.resourceVersion ? { resourceVersion: object.metadata.resourceVersion } : {}),
    });
    await this.#send(Modules.edged, message);
  }

  async #send(module: string, message: Message): Promise<void> {
    if (this.#bus.reaches({ module })) await this.#bus.send({ module }, message);
  }
}
