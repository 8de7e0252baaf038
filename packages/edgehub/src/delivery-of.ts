import { Groups, Modules, Operations, resourceType, ResourceTypes, type Message } from '@edge/protocol';

/** Who goes first: `urgent` also without a token of the throttle; `background` takes turns with the ordered messages. */
export type Rank = 'urgent' | 'normal' | 'background';

/**
 * How a message travels to the cloud.
 * - `reply`: an acknowledgement or negative answer; at once, or not at all (the cloud asks again)
 * - `direct`: in this session or not at all; who waits for the answer is told when the link breaks. `whileAwaited`: not at all
 *   when nobody waits for the answer any more
 * - `answered`: kept until the cloud's answer came; the newest one of a key replaces older ones
 * - `ordered`: kept until the cloud has provably read it; first in, first out
 */
export type Delivery =
  | { readonly lane: 'reply' }
  | { readonly lane: 'direct'; readonly rank: Rank; readonly whileAwaited?: true }
  | { readonly lane: 'answered'; readonly key: string }
  | { readonly lane: 'ordered' };

const REPLY: Delivery = { lane: 'reply' };
const ORDERED: Delivery = { lane: 'ordered' };
const DIRECT: Delivery = { lane: 'direct', rank: 'normal' };
const CALL: Delivery = { lane: 'direct', rank: 'normal', whileAwaited: true };
const URGENT: Delivery = { lane: 'direct', rank: 'urgent' };
const BACKGROUND: Delivery = { lane: 'direct', rank: 'background' };

const STATES: ReadonlySet<string> = new Set([ResourceTypes.podPatch, ResourceTypes.nodePatch]);
const DEVICE_REPORT = /^device\/.+\/(twin\/edge_updated|state\/update)$/;
const LEGACY_TASK = /^task\/.+\/node\//;

/** Decides by the message alone; see the table in the README. */
export function deliveryOf(message: Message): Delivery {
  const { operation, resource, source, group } = message.route;
  if (message.header.parentId !== undefined) {
    return operation === Operations.response || operation === Operations.error ? REPLY : DIRECT;
  }
  const type = resourceType(resource);
  if (operation === Operations.patch && STATES.has(type)) return { lane: 'answered', key: resource };
  // The cloud always answers a pod's final delete, also when the pod is gone already.
  if (operation === Operations.delete && type === ResourceTypes.pod && source === Modules.edged) {
    return { lane: 'answered', key: `delete ${resource}` };
  }
  if (type === ResourceTypes.event) return ORDERED;
  // A program on the node waits for what servicebus asks; later it would be done a second time.
  if (operation === Operations.upload && group === Groups.user) return source === Modules.serviceBus ? CALL : ORDERED;
  if (operation === Operations.updateNodeActionStatus) return ORDERED;
  if (group === Groups.hub && LEGACY_TASK.test(resource)) return ORDERED;
  // The twin keeps what the cloud has not confirmed; many devices must not hold up pods.
  if (operation === Operations.update && DEVICE_REPORT.test(resource)) return BACKGROUND;
  return type === ResourceTypes.lease ? URGENT : DIRECT;
}

/** True for messages that a healthy cloud answers without exception. Silence on these means that something is wrong. */
export function mustBeAnswered(message: Message): boolean {
  const type = resourceType(message.route.resource);
  return type === ResourceTypes.lease || STATES.has(type);
}
