/** Counts changes of one side of a twin: by the cloud, and by the node. */
export interface Version {
  readonly cloud: number;
  readonly edge: number;
}

/** A value and when it was set, Unix milliseconds; undefined when nobody wrote that down. */
export interface Side {
  readonly value: string;
  readonly timestamp: number | undefined;
}

/** What a twin property is after it was deleted: its versions stay, so that an old value cannot come back. */
export const DELETED = 'deleted';
export const DEFAULT_TYPE = 'string';

/** One property of a device. A version without a side means that the side was there once, or is the empty text. */
export interface TwinState {
  readonly expected: Side | undefined;
  readonly actual: Side | undefined;
  readonly expectedVersion: Version | undefined;
  readonly actualVersion: Version | undefined;
  /** Whether clients may delete it. */
  readonly optional: boolean;
  /** `string`, `int`, …; `deleted` for a tombstone. */
  readonly type: string;
  /** Columns that nothing here reads, kept as they are. */
  readonly description: string;
  readonly metadata: string;
}

/** One attribute of a device; clouds of today send none. */
export interface AttributeState {
  readonly value: string;
  readonly optional: boolean;
  readonly type: string;
  readonly description: string;
  readonly metadata: string;
}

/** A device as the node knows it. Never changed in place: a plan makes the next one. */
export interface DeviceState {
  /** `NAMESPACE/NAME`; `NAME` alone from clouds up to v1.15. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Empty until one was reported. */
  readonly state: string;
  /** RFC 3339; empty until it was online once. */
  readonly lastOnline: string;
  readonly attributes: ReadonlyMap<string, AttributeState>;
  readonly twins: ReadonlyMap<string, TwinState>;
}

export function isDeleted(twin: TwinState): boolean {
  return twin.type === DELETED;
}

/** A device that has just been bound to the node. */
export function newDevice(id: string, name: string, description = '', state = ''): DeviceState {
  return { id, name, description, state, lastOnline: '', attributes: new Map(), twins: new Map() };
}
