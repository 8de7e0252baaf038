import { parseResource, ResourceTypes, type Message } from '@edge/protocol';
import type { Cloud } from '../cloud.js';
import type { MetaObjects } from '../meta-objects.js';
import type { PodInquiries } from './pod-inquiries.js';

/**
 * Status patches of the node. The text is kept beside the object, as upstream does; delivery is the business of
 * edgehub's outbox, so nothing waits here and the answer comes later as a message of its own. [metamanager-4]
 */
export class PatchHandler {
  readonly #objects: MetaObjects;
  readonly #cloud: Cloud;
  readonly #inquiries: PodInquiries;

  constructor(deps: { objects: MetaObjects; cloud: Cloud; inquiries: PodInquiries }) {
    this.#objects = deps.objects;
    this.#cloud = deps.cloud;
    this.#inquiries = deps.inquiries;
  }

  async handle(message: Message): Promise<void> {
    const path = parseResource(message.route.resource);
    const isOrphan = path.type === ResourceTypes.podPatch && !this.#objects.identity({ ...path, type: ResourceTypes.pod });
    if (isOrphan) this.#inquiries.note(message);
    // Both land in the same write to the disk; neither depends on the other.
    const sent = this.#cloud.tell(message);
    const stored = isOrphan ? undefined : this.#objects.putPatch(path, message.content);
    await Promise.all([sent, stored]);
  }
}
