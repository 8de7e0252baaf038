import { type Store, type Table, type TableSpec } from '@edge/core';
import { versionText } from '../model/rows.js';
import type { DeviceState, TwinState } from '../model/device.js';
import type { Shown } from '../model/wire.js';

/**
 * What the cloud has confirmed of a property: its versions then. What stands with other versions, or has no row, the cloud
 * does not know yet. So a change needs no mark beside it, no crash can part the two, and after a time with the Go agent, or on
 * its database, all that may be news is sent once.
 */
export interface ConfirmationRow {
  deviceid: string;
  /** Name of the property; empty for the device's state. */
  name: string;
  /** The version of the expected value as in `device_twin`; of a state its last time online. */
  expected: string;
  /** The version of the actual value; of a state its word. */
  actual: string;
}

export const confirmationTable: TableSpec<ConfirmationRow> = {
  name: 'edge_twin_confirmed',
  columns: { deviceid: 'text', name: 'text', expected: 'text', actual: 'text' },
  key: ['deviceid', 'name'],
};

/** Name of the state's row; no property has it. */
export const STATE = '';

/** What was told to the cloud. */
export interface Told {
  readonly expected: string;
  readonly actual: string;
}

const NOTHING: Told = { expected: '', actual: '' };
const NONE: Shown = { expected: false, actual: false };

/** What the cloud has confirmed, in memory and in a table of its own. Writes belong into a commit. */
export class Confirmations {
  readonly #table: Table<ConfirmationRow>;
  readonly #told = new Map<string, Map<string, Told>>();

  constructor(deps: { store: Store }) {
    this.#table = deps.store.table(confirmationTable);
  }

  load(): void {
    this.#told.clear();
    for (const { deviceid, name, expected, actual } of this.#table.all()) this.#of(deviceid).set(name, { expected, actual });
  }

  /** True when the cloud has confirmed something of the property at some time. */
  knows(deviceId: string, name: string): boolean {
    return this.#told.get(deviceId)?.has(name) ?? false;
  }

  /** Which sides of the property the cloud does not know. */
  open(deviceId: string, name: string, twin: TwinState): Shown {
    const told = this.#told.get(deviceId)?.get(name) ?? NOTHING;
    const now = tellingOf(twin);
    if (told.expected === now.expected && told.actual === now.actual) return NONE;
    return { expected: told.expected !== now.expected, actual: told.actual !== now.actual };
  }

  /** True when the cloud does not know the state. */
  stateOpen(device: DeviceState): boolean {
    const told = this.#told.get(device.id)?.get(STATE) ?? NOTHING;
    return told.actual !== device.state || told.expected !== device.lastOnline;
  }

  /** Inside a commit. */
  put(deviceId: string, name: string, told: Told): void {
    this.#table.put({ deviceid: deviceId, name, ...told });
    this.#of(deviceId).set(name, told);
  }

  /** The cloud is to hear of the property again. Inside a commit. */
  forgetOne(deviceId: string, name: string): void {
    this.#table.remove({ deviceid: deviceId, name });
    this.#told.get(deviceId)?.delete(name);
  }

  /** Inside a commit. */
  forget(deviceId: string): void {
    this.#table.remove({ deviceid: deviceId });
    this.#told.delete(deviceId);
  }

  #of(deviceId: string): Map<string, Told> {
    let told = this.#told.get(deviceId);
    if (told === undefined) this.#told.set(deviceId, (told = new Map()));
    return told;
  }
}

/** What a message about a property tells. */
export function tellingOf(twin: TwinState): Told {
  return { expected: versionText(twin.expectedVersion), actual: versionText(twin.actualVersion) };
}

/** What a message about a state tells. */
export function tellingOfState(device: DeviceState): Told {
  return { expected: device.lastOnline, actual: device.state };
}
