import { CONNECTION_RESOURCE, defineKind, Groups, Operations, ResourceTypes, Sources, type MessageKind } from '@edge/protocol';
import { deviceTwinError } from './errors.js';

/** The cloud's device controller; `edgemgr` is its name of old. */
const DEVICE_CLOUD = [Sources.deviceController, 'edgemgr'];

/** What a client of MQTT published: the topic is in the resource, the payload is the content. */
export const clientPublished: MessageKind<string> = defineKind('clientPublished', { source: Sources.bus, answer: false }, (content) => {
  if (typeof content === 'string') return content;
  throw deviceTwinError('devicetwin.malformed', `the content of a message from MQTT is ${content === null ? 'null' : `of type ${typeof content}`}, it must be the payload as text`);
});

/** Which devices belong to the node: all of them. The cloud has not sent it since v1.0. */
export const membershipDetail: MessageKind = defineKind('membershipDetail', { source: DEVICE_CLOUD, resource: /membership\/detail/, answer: false });

/** Devices that were bound to the node or removed from it. */
export const membershipUpdated: MessageKind = defineKind('membershipUpdated', { source: DEVICE_CLOUD, resource: /membership/, answer: false });

/** Twins as the cloud has them; sent by clouds up to v1.14. */
export const twinCloudUpdated: MessageKind = defineKind('twinCloudUpdated', { source: DEVICE_CLOUD, resource: /\/twin\/cloud_updated$/, answer: false });

/** A Device or DeviceModel that metamanager has stored. */
export const objectStored: MessageKind = defineKind('objectStored', {
  source: [Sources.meta, 'metamanager'],
  type: [ResourceTypes.device, ResourceTypes.deviceModel],
  answer: false,
});

/** The cloud's answer to a report, after we stopped waiting for it. */
export const lateAnswer: MessageKind = defineKind('lateAnswer', { group: Groups.twin, operation: [Operations.response, Operations.error], answer: true });

/** edgehub's notice that the link opened or closed. The cell `CloudLink` says it better. */
export const connectionNotice: MessageKind = defineKind('connectionNotice', { resource: CONNECTION_RESOURCE, operation: Operations.connect });
