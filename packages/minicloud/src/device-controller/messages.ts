import { randomUUID } from 'node:crypto';
import { createMessage, createResponse, Groups, type Message, OK, Operations, ResourceTypes, Sources } from '@edge/protocol';
import { pushMessage } from '../edge-controller/messages.js';
import { keyOf, type StoredDevice, type StoredDeviceModel } from '../objects.js';

export type PushOperation = 'insert' | 'update' | 'delete';

/** Tells a node that a device is its own from now on, or no longer. Not acknowledged, without a version. */
export function membershipMessage(change: 'added' | 'removed', device: StoredDevice): Message {
  const description = device.metadata.labels?.['description'];
  const members = [{ id: keyOf(device), name: device.metadata.name, ...(description ? { description } : {}) }];
  return createMessage({
    source: Sources.deviceController, group: Groups.twin, operation: Operations.update, resource: ResourceTypes.membership,
    content: {
      event_id: randomUUID(), timestamp: Date.now(),
      added_devices: change === 'added' ? members : null, removed_devices: change === 'removed' ? members : null,
    },
  });
}

export function deviceMessage(operation: PushOperation, device: StoredDevice): Message {
  return pushMessage(operation, ResourceTypes.device, deviceContent(device), Sources.deviceController);
}

export function modelMessage(operation: PushOperation, model: StoredDeviceModel): Message {
  return pushMessage(operation, ResourceTypes.deviceModel, model, Sources.deviceController);
}

/** The answer to a report that is committed. */
export function reportReply(report: Message): Message {
  return createResponse(report, OK, { source: Sources.deviceController, group: Groups.twin, resource: 'twin' });
}

/** A device as it crosses the link: `desired`, `visitors`, `protocol` and `status` are always there, as Go writes them. */
export function deviceContent<T extends Pick<StoredDevice, 'spec' | 'status'>>(device: T): T {
  const { properties, ...spec } = device.spec;
  return {
    ...device,
    spec: {
      ...spec,
      ...(properties ? { properties: properties.map((property) => ({ ...property, desired: { value: '', ...property.desired }, visitors: { ...property.visitors } })) } : {}),
      protocol: { ...spec.protocol },
    },
    status: { ...device.status },
  };
}
