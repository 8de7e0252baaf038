import { Groups } from '@edge/protocol';

/** What a client of MQTT can ask of the device twin. */
export type ClientRequest =
  | { readonly kind: 'twinUpdate' | 'twinGet' | 'stateUpdate'; readonly deviceId: string }
  | { readonly kind: 'membershipGet' }
  /** Only the cloud, or the node itself, may say this. */
  | { readonly kind: 'reserved' };

const DEVICE = '$hw/events/device/';
const NODE = '$hw/events/node/';

const DEVICE_REQUESTS: Readonly<Record<string, 'twinUpdate' | 'twinGet' | 'stateUpdate' | 'reserved'>> = {
  'twin/update': 'twinUpdate',
  'twin/get': 'twinGet',
  'state/update': 'stateUpdate',
  'twin/cloud_updated': 'reserved',
};
const RESERVED_TAILS = ['/updated', '/membership/detail/result'];

/**
 * Reads a topic; undefined for topics that mean nothing here. The id of a device is all that stands between the prefix and
 * the last two levels, one level (clouds up to v1.15) or two, so that no name can be taken for something else.
 */
export function readTopic(topic: string): ClientRequest | undefined {
  if (topic.startsWith(DEVICE)) {
    const levels = topic.slice(DEVICE.length).split('/');
    const kind = DEVICE_REQUESTS[levels.slice(-2).join('/')];
    const id = levels.slice(0, -2);
    if (kind !== undefined && id.length >= 1 && id.length <= 2 && id.every((level) => level !== '')) {
      return kind === 'reserved' ? { kind } : { kind, deviceId: id.join('/') };
    }
  } else if (topic.startsWith(NODE)) {
    const levels = topic.slice(NODE.length).split('/');
    if (levels.length === 3 && levels[1] === 'membership' && levels[2] === 'get') return { kind: 'membershipGet' };
  } else {
    return undefined;
  }
  return RESERVED_TAILS.some((tail) => topic.endsWith(tail)) ? { kind: 'reserved' } : undefined;
}

/** Topics that the node publishes about a device; an empty id for requests that could not be read, as upstream. */
export const deviceTopic = {
  updateResult: (id: string): string => `${DEVICE}${id}/twin/update/result`,
  document: (id: string): string => `${DEVICE}${id}/twin/update/document`,
  delta: (id: string): string => `${DEVICE}${id}/twin/update/delta`,
  getResult: (id: string): string => `${DEVICE}${id}/twin/get/result`,
  stateResult: (id: string): string => `${DEVICE}${id}/state/update/result`,
  attributesUpdated: (id: string): string => `${DEVICE}${id}/updated`,
} as const;

/** Topics that the node publishes about its devices. */
export const nodeTopic = {
  membershipGetResult: (node: string): string => `${NODE}${node}/membership/get/result`,
  membershipUpdated: (node: string): string => `${NODE}${node}/membership/updated`,
} as const;

/** Resources of messages to the cloud. */
export const cloudResource = {
  twin: (id: string): string => `device/${id}/twin/edge_updated`,
  state: (id: string): string => `device/${id}/state/update`,
} as const;

/** The device of `device/ID/twin/cloud_updated`; undefined when it is none. */
export function deviceOfCloudUpdate(resource: string): string | undefined {
  return /^device\/([^/]+(?:\/[^/]+)?)\/twin\/cloud_updated$/.exec(resource)?.[1];
}

/** Group of messages to the cloud. */
export const TO_CLOUD: string = Groups.resource;
