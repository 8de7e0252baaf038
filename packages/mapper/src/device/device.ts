import type { PushMethod } from '@edge/protocol/dmi';
import type { Settings } from './settings.js';
import type { ValueType } from './values.js';

/** A device as its manifest and its model describe it. Never changes; an update is a new one. */
export interface Device {
  /** `<namespace>/<name>`, unique on the node. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Name of its model, in the same namespace. */
  readonly model: string;
  readonly protocol: string;
  /** `spec.protocol.configData`: how to reach the device. */
  readonly settings: Settings;
  readonly properties: readonly Property[];
  readonly methods: readonly Method[];
  /** Whether and how often (milliseconds) the device's state goes to the cloud. */
  readonly stateReport: { readonly toCloud: boolean; readonly cycleMs: number };
}

export interface Property {
  readonly name: string;
  readonly type: ValueType;
  readonly description: string;
  readonly unit: string;
  readonly access: 'ReadWrite' | 'ReadOnly';
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** `visitors.configData`: where in the device the property is. */
  readonly settings: Settings;
  /** The desired value as the cloud wrote it; undefined when there is none. */
  readonly desired: string | undefined;
  /** Milliseconds between two reads. */
  readonly collectCycleMs: number;
  /** Milliseconds between two reports and pushes. */
  readonly reportCycleMs: number;
  readonly reportToCloud: boolean;
  readonly push: PushMethod | undefined;
}

/** A command of the device that sets properties; served by the mapper's HTTP server. */
export interface Method {
  readonly name: string;
  readonly description: string;
  readonly properties: readonly string[];
}

/** A device whose driver has been started. `connection` is what the driver's `init` gave. */
export type OpenDevice<Connection> = Device & { readonly connection: Connection };

/** What EdgeCore and the cloud know as the state of a device. */
export const DEVICE_STATES = ['online', 'ok', 'offline', 'unhealthy', 'unknown'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];
