import { isFields, type ConfigData, type Device, type DeviceModel, type DevicePropertySpec, type DeviceProtocol } from '@edge/protocol';
import { deviceTwinError } from '../../errors.js';

/** `NAMESPACE/NAME` of the model that a device follows; undefined when it names none. */
export function modelIdOf(device: Device): string | undefined {
  const name = device.spec.deviceModelRef?.name;
  return name ? `${device.metadata.namespace ?? ''}/${name}` : undefined;
}

/**
 * The model of a device.
 * @throws EdgeError `devicetwin.dmi-no-model-named`, `devicetwin.dmi-no-model`
 */
export function modelOf(device: Device, models: ReadonlyMap<string, DeviceModel>): DeviceModel {
  const id = modelIdOf(device);
  if (id === undefined) throw deviceTwinError('devicetwin.dmi-no-model-named', 'it names no model in spec.deviceModelRef.name');
  const model = models.get(id);
  if (!model) throw deviceTwinError('devicetwin.dmi-no-model', `its model ${id} is not on this node`);
  return model;
}

/**
 * What the device's settings are once the model's are taken for defaults: single keys of `configData` go over the
 * model's; the name of a visitor's protocol is the model's where the model has visitors. Source: KubeEdge v1.23.
 */
export function mergeModel(device: Device, model: DeviceModel): Device {
  const properties = (device.spec.properties ?? []).map((property) => mergeProperty(property, model));
  const protocol: DeviceProtocol = {
    ...device.spec.protocol,
    configData: mergeConfig(model.spec.protocolConfigData, device.spec.protocol?.configData),
  };
  return { ...device, spec: { ...device.spec, properties, protocol } };
}

function mergeProperty(property: DevicePropertySpec, model: DeviceModel): DevicePropertySpec {
  const defaults = model.spec.properties?.find(({ name }) => name === property.name)?.visitors;
  if (!defaults) return property;
  return { ...property, visitors: { ...defaults, configData: mergeConfig(defaults.configData, property.visitors?.configData) } };
}

function mergeConfig(defaults: ConfigData | undefined, own: ConfigData | undefined): ConfigData {
  return { ...(isFields(defaults) ? defaults : {}), ...(isFields(own) ? own : {}) };
}
