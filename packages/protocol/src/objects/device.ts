import type { KubeObject } from './meta.js';

/** Free-form settings of a protocol or a visitor. */
export type ConfigData = Record<string, unknown>;

/** A protocol of a device, or how one property is visited by it. */
export interface DeviceProtocol {
  protocolName?: string;
  configData?: ConfigData;
}

/** A value with its origin; `timestamp` is Unix ms as text, `type` the type of the twin. */
export interface TwinValue {
  value: string;
  metadata?: { timestamp?: string; type?: string } & Record<string, string>;
}

/** One property of a device. Cycles are milliseconds. */
export interface DevicePropertySpec {
  name: string;
  desired?: Partial<TwinValue>;
  visitors?: DeviceProtocol;
  reportCycle?: number;
  collectCycle?: number;
  reportToCloud?: boolean;
  /** Keys as they come; those of `otel` and `mysqlClientConfig` are upper-case from a Go cloud, lower-case in the schema. */
  pushMethod?: Record<string, unknown>;
}

/** `devices.kubeedge.io/v1beta1` Device. */
export interface Device extends KubeObject {
  spec: {
    deviceModelRef?: { name?: string };
    nodeName?: string;
    properties?: DevicePropertySpec[];
    protocol?: DeviceProtocol;
    methods?: { name?: string; description?: string; propertyNames?: string[] }[];
    stateReport?: { reportToCloud?: boolean; reportCycle?: number };
  };
  /** What older clouds keep here moved to `DeviceStatus` and `spec.stateReport`. */
  status?: { reportToCloud?: boolean; reportCycle?: number } & Record<string, unknown>;
}

/** `devices.kubeedge.io/v1beta1` DeviceModel. */
export interface DeviceModel extends KubeObject {
  spec: {
    properties?: {
      name: string;
      description?: string;
      /** INT, FLOAT, DOUBLE, STRING, BOOLEAN, BYTES or STREAM. */
      type?: string;
      accessMode?: 'ReadWrite' | 'ReadOnly';
      minimum?: string;
      maximum?: string;
      unit?: string;
      visitors?: DeviceProtocol;
    }[];
    protocol?: string;
    protocolConfigData?: ConfigData;
  };
}

/** `devices.kubeedge.io/v1beta1` DeviceStatus: what the node has reported of the device of that name. */
export interface DeviceStatus extends KubeObject {
  spec?: Record<string, unknown>;
  status?: {
    twins?: { propertyName: string; reported?: TwinValue; observedDesired?: TwinValue }[];
    state?: string;
    /** RFC 3339. */
    lastOnlineTime?: string;
  };
}
