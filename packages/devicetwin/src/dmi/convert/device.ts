import type { Device, DevicePropertySpec } from '@edge/protocol';
import type { Device as DmiDevice, DeviceProperty, DeviceStatus, TwinProperty } from '@edge/protocol/dmi';
import { configData, type NestedConfig } from './config-values.js';
import { FieldReader } from './fields.js';
import { pushMethod } from './push-method.js';

/**
 * A device as mappers get it. `status`, `protocol`, and the `desired` and `visitors` of each property with their
 * `configData` are there even when they are empty, because mappers of upstream read them unasked. Source: KubeEdge v1.23.
 *
 * @param device with the model's defaults merged in
 * @throws EdgeError `devicetwin.dmi-nested`
 */
export function dmiDevice(device: Device, nested: NestedConfig): DmiDevice {
  const { spec, metadata } = device;
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    spec: {
      deviceModelReference: spec.deviceModelRef?.name ?? '',
      protocol: {
        protocolName: spec.protocol?.protocolName ?? '',
        configData: configData(spec.protocol?.configData, nested, 'spec.protocol.configData'),
      },
      properties: (spec.properties ?? []).map((property) => dmiProperty(property, nested)),
      methods: (spec.methods ?? []).map((method) => ({
        name: method.name ?? '',
        description: method.description ?? '',
        propertyNames: method.propertyNames ?? [],
      })),
    },
    status: dmiStatus(device),
  };
}

function dmiProperty(property: DevicePropertySpec, nested: NestedConfig): DeviceProperty {
  const where = `spec.properties[${property.name}]`;
  return {
    name: property.name,
    desired: twinProperty(property.desired),
    visitors: {
      protocolName: property.visitors?.protocolName ?? '',
      configData: configData(property.visitors?.configData, nested, `${where}.visitors.configData`),
    },
    reportCycle: property.reportCycle ?? 0,
    collectCycle: property.collectCycle ?? 0,
    reportToCloud: property.reportToCloud ?? false,
    pushMethod: pushMethod(property.pushMethod, nested, `${where}.pushMethod`),
  };
}

/** Older clouds keep cycles and twins in the status. */
function dmiStatus({ spec, status }: Device): DeviceStatus {
  const old = new FieldReader(status);
  const twins = old.get('twins');
  return {
    twins: (Array.isArray(twins) ? twins : []).map((twin: unknown) => {
      const fields = new FieldReader(twin);
      return {
        propertyName: fields.text('propertyName'),
        observedDesired: twinProperty(fields.get('observedDesired')),
        reported: twinProperty(fields.get('reported')),
      };
    }),
    reportToCloud: spec.stateReport ? spec.stateReport.reportToCloud ?? false : old.flag('reportToCloud'),
    reportCycle: spec.stateReport ? spec.stateReport.reportCycle ?? 0 : old.whole('reportCycle'),
  };
}

function twinProperty(value: unknown): TwinProperty {
  const fields = new FieldReader(value);
  return { value: fields.text('value'), metadata: fields.texts('metadata') };
}
