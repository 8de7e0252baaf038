import { createResponse, formatResource, Groups, OK, Operations, parseResource, ResourceTypes, Sources, type Message } from '@edge/protocol';

/** Answers that the cloud sends through its one-at-a-time queue and repeats until they are acknowledged. */
const ACKNOWLEDGED_ANSWERS = new Set<string>([
  ResourceTypes.configMap,
  ResourceTypes.secret,
  ResourceTypes.persistentVolume,
  ResourceTypes.persistentVolumeClaim,
  ResourceTypes.volumeAttachment,
]);
const REROUTED = new Set<string>([ResourceTypes.device, ResourceTypes.deviceModel]);
const REROUTED_OPERATIONS = new Set<string>([Operations.insert, Operations.delete]);

/** True when the cloud waits for the acknowledgement of an answer of that type. */
export function answerNeedsAck(type: string): boolean {
  return ACKNOWLEDGED_ANSWERS.has(type);
}

/** The acknowledgement: the message's own route, `OK`; device objects carry the route of their way to the device twin. */
export function acknowledgement(message: Message): Message {
  const rerouted = REROUTED.has(typeOf(message)) && REROUTED_OPERATIONS.has(message.route.operation);
  return createResponse(message, OK, {
    resource: trimmed(message.route.resource),
    ...(rerouted ? { source: Sources.meta, group: Groups.twin } : {}),
  });
}

function typeOf(message: Message): string {
  return message.route.resource.split('/').at(-2) ?? '';
}

/** Without the `node/<node>/` that the cloud uses inside. What cannot be read is sent back as it came: it is acknowledged too. */
function trimmed(resource: string): string {
  try {
    return formatResource(parseResource(resource));
  } catch {
    return resource;
  }
}
