import type { DeviceModel } from '@edge/protocol';
import type { DeviceModel as DmiDeviceModel } from '@edge/protocol/dmi';

/** A model as mappers get it. What it says of visitors and protocols reaches them merged into the devices. */
export function dmiModel({ metadata, spec }: DeviceModel): DmiDeviceModel {
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    spec: {
      properties: (spec.properties ?? []).map((property) => ({
        name: property.name,
        description: property.description ?? '',
        type: property.type ?? '',
        accessMode: property.accessMode ?? '',
        minimum: property.minimum ?? '',
        maximum: property.maximum ?? '',
        unit: property.unit ?? '',
      })),
      commands: [],
    },
  };
}
