import { randomUUID } from 'node:crypto';
import { createMessage, Modules, Operations, type Message } from '@edge/protocol';
import type { DeviceState } from '../model/device.js';
import { sorted, statePayload } from '../model/payloads.js';
import { cloudTwin, type WireTwin } from '../model/wire.js';
import { cloudResource, TO_CLOUD } from '../topics.js';
import { STATE, tellingOf, tellingOfState, type Confirmations, type Told } from './confirmations.js';
import type { Line } from './line.js';

/** A message to the cloud and what it tells, by property. */
export interface Telling {
  readonly message: Message;
  readonly told: ReadonlyMap<string, Told>;
}

/** Composes what the line has to say; undefined when the cloud knows all. */
export function compose(line: Line, device: DeviceState, confirmations: Confirmations, now: number): Telling | undefined {
  return line.subject === 'state' ? composeState(line, device, confirmations, now) : composeTwin(line, device, confirmations, now);
}

function composeTwin(line: Line, device: DeviceState, confirmations: Confirmations, now: number): Telling | undefined {
  const twin: (readonly [string, WireTwin])[] = [];
  const told = new Map<string, Told>();
  for (const [name, state] of device.twins) {
    const open = confirmations.open(device.id, name, state);
    if (!open.expected && !open.actual && !line.touched.has(name)) continue;
    twin.push([name, cloudTwin(state, open)]);
    told.set(name, tellingOf(state));
  }
  if (twin.length === 0) return undefined;
  const content = { event_id: randomUUID(), timestamp: now, twin: sorted(twin) };
  return { message: toCloud(cloudResource.twin(device.id), content), told };
}

function composeState(line: Line, device: DeviceState, confirmations: Confirmations, now: number): Telling | undefined {
  if (!confirmations.stateOpen(device)) return undefined;
  const content = line.stateText ?? statePayload({ eventId: randomUUID(), now }, device);
  return { message: toCloud(cloudResource.state(device.id), content), told: new Map([[STATE, tellingOfState(device)]]) };
}

/** The cloud lets reports through because their source is `twin`. */
function toCloud(resource: string, content: unknown): Message {
  return createMessage({ source: Modules.deviceTwin, group: TO_CLOUD, operation: Operations.update, resource, content });
}

/** When the oldest open change of a device was made, Unix milliseconds; undefined when the cloud knows all. */
export function oldestOpen(device: DeviceState, confirmations: Confirmations): number | undefined {
  let oldest: number | undefined;
  for (const [name, state] of device.twins) {
    const open = confirmations.open(device.id, name, state);
    if (open.expected) oldest = Math.min(oldest ?? Infinity, state.expected?.timestamp ?? 0);
    if (open.actual) oldest = Math.min(oldest ?? Infinity, state.actual?.timestamp ?? 0);
  }
  return oldest;
}
