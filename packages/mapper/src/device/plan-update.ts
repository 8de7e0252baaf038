import { isDeepStrictEqual } from 'node:util';
import type { Device, Property } from './device.js';

/** What an update of a device means for its driver. */
export type UpdatePlan =
  /** Nothing differs. */
  | 'nothing'
  /** Desired values, cycles, pushes, limits: the driver goes on. */
  | 'in-place'
  /** The way to the device or its properties differs: the driver is stopped and started again. */
  | 'reopen';

/** Pure. A device is opened again only when something that the driver may have looked at in `init` differs. */
export function planUpdate(old: Device, updated: Device): UpdatePlan {
  if (isDeepStrictEqual(plain(old), plain(updated))) return 'nothing';
  return isDeepStrictEqual(opened(old), opened(updated)) ? 'in-place' : 'reopen';
}

function plain(device: Device): unknown {
  return { ...device, settings: device.settings.values, properties: device.properties.map((property) => ({ ...property, settings: property.settings.values })) };
}

function opened(device: Device): unknown {
  return {
    protocol: device.protocol,
    settings: device.settings.values,
    properties: new Map(device.properties.map((property) => [property.name, openedProperty(property)])),
  };
}

function openedProperty({ type, access, settings }: Property): unknown {
  return { type, access, settings: settings.values };
}
