import { CLUSTER_CA_RESOURCE, Groups, isErrorContent, type Message, OK, Operations, ResourceTypes, resourceType, Sources } from '@edge/protocol';

const VOLUME_OPERATIONS: readonly string[] = [
  Operations.createVolume, Operations.deleteVolume, Operations.controllerPublishVolume, Operations.controllerUnpublishVolume,
];
const TASK_SOURCES: readonly string[] = [Sources.taskManager, 'nodeupgradejobcontroller'];
const UNACKED_PARTS = [ResourceTypes.podList, ResourceTypes.membership, 'twin/cloud_updated', ResourceTypes.serviceAccountToken, CLUSTER_CA_RESOURCE];
const UNACKED_TYPES: readonly string[] = [
  ResourceTypes.lease, ResourceTypes.nodePatch, ResourceTypes.podPatch, ResourceTypes.podStatus, ResourceTypes.certificateSigningRequest,
];

/** Whether the node has to acknowledge a message to it. The tests stand in CloudHub's order. */
export function needsAck(message: Message): boolean {
  const { source, group, operation, resource } = message.route;
  const type = resourceType(resource);
  if (UNACKED_PARTS.some((part) => resource.includes(part))) return false;
  if (VOLUME_OPERATIONS.includes(operation) || operation === Operations.applicationResponse) return false;
  if (group === Groups.user || TASK_SOURCES.includes(source)) return false;
  if (operation === Operations.response && (message.content === OK || isErrorContent(message.content))) return false;
  if (source !== Sources.edgeController) return true;
  if (type === ResourceTypes.node) return operation === Operations.update;
  if (UNACKED_TYPES.includes(type)) return false;
  return !(type === ResourceTypes.pod && operation === Operations.response);
}

/** The parts of an object that delivery looks at. */
export interface DeliveredObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly uid?: string; readonly deletionTimestamp?: string };
}

/** The object in a message, undefined when the content is none. */
export function objectOf(message: Message): DeliveredObject | undefined {
  const content = message.content as { metadata?: unknown } | null;
  if (typeof content !== 'object' || content === null || typeof content.metadata !== 'object' || content.metadata === null) return undefined;
  return content as DeliveredObject;
}

/**
 * Under which key a message that needs an acknowledgement is queued; messages of one key replace one another.
 * Undefined: it cannot be delivered (no object, or a change without a version).
 * An answer has a key of its own, so that it is never swallowed by a later push of the same object (CloudHub does that).
 */
export function queueKey(message: Message): string | undefined {
  const object = objectOf(message);
  if (message.route.group !== Groups.resource || object === undefined) return undefined;
  if (message.route.operation !== Operations.delete && message.header.resourceVersion === undefined) return undefined;
  if (message.route.operation === Operations.response) return `answer:${message.header.parentId ?? message.header.id}`;
  return object.metadata.uid ?? `name:${message.route.resource}`;
}

/** True for a delete and for an object whose end has begun: never held back by a version. */
export function endsObject(message: Message): boolean {
  return message.route.operation === Operations.delete || objectOf(message)?.metadata.deletionTimestamp !== undefined;
}

/** Compares two resource versions (decimal numbers as text); absent is the oldest. */
export function compareVersions(left: string | undefined, right: string | undefined): number {
  const [a, b] = [toNumber(left), toNumber(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function toNumber(version: string | undefined): bigint {
  return version !== undefined && /^\d{1,40}$/.test(version) ? BigInt(version) : 0n;
}
