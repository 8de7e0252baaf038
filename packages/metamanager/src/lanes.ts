import type { Message } from '@edge/protocol';

/**
 * Lanes. What waits for the cloud never shares a lane with what comes from the cloud: the cloud has one push in flight,
 * so a push stuck behind a query whose answer queues behind that very push would stand still until it is given up.
 */

/** Pushes and late answers about one object; a status patch and its pod count as one. */
export function objectLane(message: Message): string {
  return `object ${message.route.resource.replace('/podpatch/', '/pod/').replace('/nodepatch/', '/node/')}`;
}

/** Queries and writes of the node about one object, in order. */
export function requestLane(message: Message): string {
  return `request ${message.route.resource}`;
}

/** Each on its own: pods that share a service account ask for different tokens under one resource. */
export function singleLane(message: Message): string {
  return `single ${message.header.id}`;
}

/** Messages of the node that only pass through, in order per resource. */
export function upwardLane(message: Message): string {
  return `upward ${message.route.resource}`;
}
