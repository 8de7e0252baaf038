import { encodeJson } from '@edge/protocol';
import { isDeleted, type DeviceState } from './device.js';
import { clientTwin, wireAttribute, type WireAttribute, type WireTwin } from './wire.js';

/** Payloads for clients of MQTT and contents for the cloud, byte for byte as Go writes them: maps with sorted keys. */

/** Echo of a request, or a new id; and Unix milliseconds. */
export interface Stamp {
  readonly eventId: string;
  readonly now: number;
}

/** A property before and after; null: not there. */
export interface Change {
  readonly last: WireTwin | null;
  readonly current: WireTwin | null;
}

/** A device in messages about membership. */
export interface WireMember {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly state?: string;
  readonly last_online?: string;
  readonly attributes?: Readonly<Record<string, WireAttribute | null>>;
  readonly twin?: Readonly<Record<string, WireTwin | null>>;
}

/** Map as an object with sorted keys; without a prototype, because `__proto__` is a fine name for a property. */
export function sorted<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const result = Object.create(null) as Record<string, T>;
  for (const [key, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) result[key] = value;
  return result;
}

const head = ({ eventId, now }: Stamp): { event_id: string; timestamp: number } => ({ event_id: eventId, timestamp: now });

export function errorPayload(stamp: Stamp, code: number, reason: string): string {
  return encodeJson({ ...head(stamp), code, reason });
}

/** `twin/update/result` and `twin/get/result`. */
export function twinPayload(stamp: Stamp, twins: Iterable<readonly [string, WireTwin | null]>): string {
  return encodeJson({ ...head(stamp), twin: sorted(twins) });
}

/** The whole twin of a device for `twin/get/result`. */
export function wholeTwinPayload(stamp: Stamp, device: DeviceState): string {
  return twinPayload(stamp, [...device.twins].filter(([, twin]) => !isDeleted(twin)).map(([name, twin]) => [name, clientTwin(twin)] as const));
}

export function documentPayload(stamp: Stamp, changes: Iterable<readonly [string, Change]>): string {
  return encodeJson({ ...head(stamp), twin: sorted(changes) });
}

/** `twin/update/delta`; undefined when every expected value is reached. */
export function deltaPayload(stamp: () => Stamp, device: DeviceState): string | undefined {
  const wanted = [...device.twins].filter(([, twin]) => !isDeleted(twin) && (twin.expected?.value ?? '') !== '');
  const open = wanted.filter(([, twin]) => twin.expected?.value !== (twin.actual?.value ?? ''));
  if (open.length === 0) return undefined;
  return encodeJson({
    ...head(stamp()),
    twin: sorted(wanted.map(([name, twin]) => [name, clientTwin(twin)] as const)),
    delta: sorted(open.map(([name, twin]) => [name, twin.expected?.value ?? ''] as const)),
  });
}

/** `state/update/result`; the same text goes to the cloud. */
export function statePayload(stamp: Stamp, device: { readonly name: string; readonly state: string; readonly lastOnline: string }): string {
  return encodeJson({
    ...head(stamp),
    device: { name: device.name || undefined, state: device.state || undefined, lastOnlineTime: device.lastOnline || undefined },
  });
}

/** `membership/get/result`; twins are not in it. */
export function membershipPayload(stamp: Stamp, devices: Iterable<DeviceState>): string {
  return encodeJson({ ...head(stamp), devices: [...devices].map(memberOf) });
}

/** `membership/updated`; an absent list is null. */
export function membershipChangePayload(stamp: Stamp, added: WireMember | undefined, removed: WireMember | undefined): string {
  return encodeJson({ ...head(stamp), added_devices: added ? [added] : null, removed_devices: removed ? [removed] : null });
}

/** `device/ID/updated`. */
export function attributesPayload(stamp: Stamp, attributes: Iterable<readonly [string, WireAttribute | null]>): string {
  return encodeJson({ ...head(stamp), attributes: sorted(attributes) });
}

function memberOf(device: DeviceState): WireMember {
  const { id, name, description, state, lastOnline, attributes } = device;
  return {
    id,
    ...(name ? { name } : {}),
    ...(description ? { description } : {}),
    ...(state ? { state } : {}),
    ...(lastOnline ? { last_online: lastOnline } : {}),
    ...(attributes.size > 0 ? { attributes: sorted([...attributes].map(([key, value]) => [key, wireAttribute(value)] as const)) } : {}),
  };
}
