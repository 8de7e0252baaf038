import { valueOf, type ConfigValue, type CustomizedValue, type Device as WireDevice, type DeviceModel as WireModel, type DeviceProperty, type ModelProperty } from '@edge/protocol/dmi';
import { errorText, MapperError, MapperErrors } from '../errors.js';
import type { Device, Property } from './device.js';
import { Settings } from './settings.js';
import { VALUE_TYPES, type ValueType } from './values.js';

/** Cycles of a manifest that names none, in milliseconds. */
export interface DefaultCycles {
  readonly collectMs: number;
  readonly stateMs: number;
}

export interface ParsedDevice {
  readonly device: Device;
  /** What in the manifest cannot be used and was left out; a sentence each. */
  readonly problems: readonly string[];
}

/** `<namespace>/<name>`; an absent namespace is `default`. */
export function idOf(namespace: string, name: string): string {
  return `${namespace || 'default'}/${name}`;
}

/**
 * A device of the wire with its model. A property that cannot be used is left out, so that the others work.
 * @throws MapperError `mapper.bad-device` when not even its name or its protocol is there
 */
export function parseDevice(wire: WireDevice, model: WireModel, defaults: DefaultCycles): ParsedDevice {
  const id = idOf(wire.namespace, wire.name);
  const problems: string[] = [];
  const { spec } = wire;
  if (wire.name === '') throw new MapperError(MapperErrors.badDevice, 'a device without a name cannot be used');
  if (!spec) throw new MapperError(MapperErrors.badDevice, `device ${id} has no spec`);
  const properties: Property[] = [];
  for (const property of spec.properties) {
    try {
      properties.push(parseProperty(id, property, model, defaults, problems));
    } catch (error) {
      problems.push(errorText(error));
    }
  }
  const device: Device = {
    id,
    namespace: wire.namespace || 'default',
    name: wire.name,
    model: spec.deviceModelReference,
    protocol: spec.protocol?.protocolName ?? '',
    settings: new Settings(`device ${id}`, parseConfig(`device ${id}`, spec.protocol?.configData, problems)),
    properties,
    methods: spec.methods.map(({ name, description, propertyNames }) => ({ name, description, properties: propertyNames })),
    stateReport: { toCloud: wire.status?.reportToCloud ?? false, cycleMs: positive(wire.status?.reportCycle, defaults.stateMs) },
  };
  return { device, problems };
}

function parseProperty(id: string, wire: DeviceProperty, model: WireModel, defaults: DefaultCycles, problems: string[]): Property {
  const owner = `property ${wire.name} of device ${id}`;
  const modelled = model.spec?.properties.find(({ name }) => name === wire.name);
  if (!modelled) throw new MapperError(MapperErrors.badDevice, `${owner} is not in model ${model.name}`);
  const collectCycleMs = positive(wire.collectCycle, defaults.collectMs);
  return {
    name: wire.name,
    type: parseType(owner, modelled),
    description: modelled.description,
    unit: modelled.unit,
    access: modelled.accessMode.toLowerCase() === 'readonly' ? 'ReadOnly' : 'ReadWrite',
    minimum: limit(owner, 'minimum', modelled, problems),
    maximum: limit(owner, 'maximum', modelled, problems),
    settings: new Settings(owner, parseConfig(owner, wire.visitors?.configData, problems)),
    desired: wire.desired?.value || undefined,
    collectCycleMs,
    reportCycleMs: positive(wire.reportCycle, collectCycleMs),
    reportToCloud: wire.reportToCloud,
    push: wire.pushMethod,
  };
}

function parseType(owner: string, { type }: ModelProperty): ValueType {
  const found = VALUE_TYPES.find((candidate) => candidate === type.toUpperCase());
  if (!found) throw new MapperError(MapperErrors.badDevice, `${owner} has the type "${type}", expected one of ${VALUE_TYPES.join(', ')}`);
  return found;
}

function limit(owner: string, which: 'minimum' | 'maximum', model: ModelProperty, problems: string[]): number | undefined {
  const text = model[which];
  if (text === '') return undefined;
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  problems.push(`${owner}: the model's ${which} "${text}" is no number and is not watched`);
  return undefined;
}

function parseConfig(owner: string, config: CustomizedValue | undefined, problems: string[]): Record<string, ConfigValue> {
  const values: Record<string, ConfigValue> = {};
  // Sorted, because the wire has no order and two devices are compared.
  for (const [key, any] of Object.entries(config?.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const value = decode(any);
    if (value === undefined) problems.push(`${owner}: configData.${key} is of the unknown type "${any.typeUrl}"`);
    else values[key] = value;
  }
  return values;
}

function decode(any: Parameters<typeof valueOf>[0]): ConfigValue | undefined {
  try {
    return valueOf(any);
  } catch {
    return undefined;
  }
}

function positive(value: number | undefined, fallback: number): number {
  return value !== undefined && value > 0 ? value : fallback;
}
