import { encodeJson, isFields, type DeviceAttrRow, type DeviceRow, type DeviceTwinRow } from '@edge/protocol';
import type { AttributeState, DeviceState, Side, TwinState, Version } from './device.js';

/** Rows as upstream writes them: JSON texts in columns, `''` for what is unset. */

export function deviceRow(device: DeviceState): DeviceRow {
  return { id: device.id, name: device.name, description: device.description, state: device.state, last_online: device.lastOnline };
}

/** @param id number of the row, 0 for a new one */
export function twinRow(deviceId: string, name: string, twin: TwinState, id: number): DeviceTwinRow {
  return {
    id,
    deviceid: deviceId,
    name,
    description: twin.description,
    expected: twin.expected?.value ?? '',
    actual: twin.actual?.value ?? '',
    expected_meta: metaText(twin.expected),
    actual_meta: metaText(twin.actual),
    expected_version: versionText(twin.expectedVersion),
    actual_version: versionText(twin.actualVersion),
    optional: twin.optional ? 1 : 0,
    attr_type: twin.type,
    metadata: twin.metadata,
  };
}

export function twinOfRow(row: DeviceTwinRow): TwinState {
  return {
    expected: sideOf(row.expected, row.expected_meta),
    actual: sideOf(row.actual, row.actual_meta),
    expectedVersion: versionOf(row.expected_version),
    actualVersion: versionOf(row.actual_version),
    optional: row.optional !== 0,
    type: row.attr_type,
    description: row.description,
    metadata: row.metadata,
  };
}

/** @param id number of the row, 0 for a new one */
export function attributeRow(deviceId: string, name: string, attribute: AttributeState, id: number): DeviceAttrRow {
  const { description, value, optional, type, metadata } = attribute;
  return { id, deviceid: deviceId, name, description, value, optional: optional ? 1 : 0, attr_type: type, metadata };
}

export function attributeOfRow(row: DeviceAttrRow): AttributeState {
  return { value: row.value, optional: row.optional !== 0, type: row.attr_type, description: row.description, metadata: row.metadata };
}

/** `{"cloud":0,"edge":1}`; empty without a version. */
export function versionText(version: Version | undefined): string {
  return version === undefined ? '' : `{"cloud":${version.cloud},"edge":${version.edge}}`;
}

function metaText(side: Side | undefined): string {
  if (side?.timestamp === undefined) return '';
  return encodeJson(side.timestamp === 0 ? {} : { timestamp: side.timestamp });
}

/** An empty text reads as no value, as upstream. */
function sideOf(value: string, meta: string): Side | undefined {
  if (value === '') return undefined;
  return { value, timestamp: meta === '' ? undefined : numberIn(meta, 'timestamp') };
}

function versionOf(text: string): Version | undefined {
  return text === '' ? undefined : { cloud: numberIn(text, 'cloud'), edge: numberIn(text, 'edge') };
}

/** 0 when the text is not what it should be: a damaged cell must not keep a device away. */
function numberIn(text: string, name: string): number {
  try {
    const value: unknown = JSON.parse(text);
    const found = isFields(value) ? value[name] : undefined;
    return typeof found === 'number' && Number.isSafeInteger(found) ? found : 0;
  } catch {
    return 0;
  }
}
