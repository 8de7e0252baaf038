import type { AttributeState, DeviceState } from '../model/device.js';
import { DEFAULT_TYPE } from '../model/device.js';
import { wireType, type WireAttribute } from '../model/wire.js';

/** An attribute in a message about membership. */
export interface AttributeRequest {
  readonly value: string;
  readonly optional: boolean | undefined;
  readonly type: string | undefined;
}

export interface AttributePlan {
  readonly next: DeviceState;
  /** Names of the attributes whose rows change or go. */
  readonly changed: readonly string[];
  /** What clients are told; null: gone. */
  readonly result: ReadonlyMap<string, WireAttribute | null>;
}

/** The attributes become those of the request: what it lacks goes. */
export function planAttributes(device: DeviceState, request: ReadonlyMap<string, AttributeRequest>): AttributePlan {
  const attributes = new Map<string, AttributeState>();
  const result = new Map<string, WireAttribute | null>();
  for (const [name, wanted] of request) {
    const stands = device.attributes.get(name);
    const attribute: AttributeState = {
      value: wanted.value,
      optional: stands === undefined ? (wanted.optional ?? true) : stands.optional && (wanted.optional ?? true),
      type: wanted.type ?? stands?.type ?? DEFAULT_TYPE,
      description: stands?.description ?? '',
      metadata: wanted.type === undefined ? (stands?.metadata ?? '') : '{}',
    };
    attributes.set(name, attribute);
    if (stands === undefined || !equal(stands, attribute)) result.set(name, told(wanted, stands, attribute));
  }
  for (const name of device.attributes.keys()) if (!request.has(name)) result.set(name, null);
  return { next: result.size === 0 ? device : { ...device, attributes }, changed: [...result.keys()], result };
}

function equal(a: AttributeState, b: AttributeState): boolean {
  return a.value === b.value && a.optional === b.optional && a.type === b.type;
}

/** Of a new attribute what the request says, of a known one the value and what changed. */
function told(wanted: AttributeRequest, stands: AttributeState | undefined, next: AttributeState): WireAttribute {
  const optional = stands === undefined ? wanted.optional : next.optional !== stands.optional ? next.optional : undefined;
  const type = stands === undefined ? wanted.type : next.type !== stands.type ? next.type : undefined;
  return { value: next.value, ...(optional === undefined ? {} : { optional }), ...(type === undefined ? {} : { metadata: wireType(type) }) };
}
