import type { DeviceState } from '../model/device.js';
import { timestamp } from '@edge/protocol';

/** What comes of a reported state. */
export interface StatePlan {
  readonly next: DeviceState;
  readonly changed: boolean;
  /** As it is published: the newest time even when that alone is not worth a write. */
  readonly shown: { readonly name: string; readonly state: string; readonly lastOnline: string };
}

/** While it stays online, the time of that is stored and sent this often. */
const REFRESH_MS = 60_000;

/**
 * Plans a report of a state. The letters stay as they came, and words that upstream does not know are passed on: the cloud
 * takes any text. The last time online is kept when the device goes away.
 * @param lastSeen the last time that it reported to be online, stored or not
 */
export function planState(device: DeviceState, state: string, lastSeen: string, options: { readonly now: number; readonly skipUnchanged: boolean }): StatePlan {
  const online = isOnline(state);
  const lastOnline = online ? timestamp(options.now) : lastSeen;
  const fresh = !online || Math.abs(options.now - Date.parse(device.lastOnline)) < REFRESH_MS;
  const same = options.skipUnchanged && device.state === state && fresh;
  const shown = { name: device.name, state, lastOnline };
  return same ? { next: device, changed: false, shown } : { next: { ...device, state, lastOnline }, changed: true, shown };
}

export function isOnline(state: string): boolean {
  return ['online', 'ok'].includes(state.toLowerCase());
}
