import { DeviceMapperServiceDefinition } from '@edge/protocol/dmi';
import type { Devices } from '../device/devices.js';
import { handler, type Handler } from './socket-server.js';

const { methods, fullName } = DeviceMapperServiceDefinition;

export const MAPPER_SERVICE = fullName;

/** What EdgeCore tells a mapper: call → what it does to the table of devices. */
export function mapperService(devices: Devices): Handler[] {
  return [
    handler(methods.registerDevice, ({ device }) => {
      devices.upsertDevice(device);
      return { deviceName: device?.name ?? '', deviceNamespace: device?.namespace ?? '' };
    }),
    handler(methods.updateDevice, ({ device }) => {
      devices.upsertDevice(device);
      return {};
    }),
    handler(methods.removeDevice, ({ deviceName, deviceNamespace }) => {
      devices.removeDevice(deviceNamespace, deviceName);
      return {};
    }),
    handler(methods.createDeviceModel, ({ model }) => {
      devices.upsertModel(model);
      return { deviceModelName: model?.name ?? '', deviceModelNamespace: model?.namespace ?? '' };
    }),
    handler(methods.updateDeviceModel, ({ model }) => {
      devices.upsertModel(model);
      return {};
    }),
    handler(methods.removeDeviceModel, ({ modelName, modelNamespace }) => {
      devices.removeModel(modelNamespace, modelName);
      return {};
    }),
    handler(methods.getDevice, ({ deviceName, deviceNamespace }) => ({ device: devices.wireDevice(deviceNamespace, deviceName) })),
  ];
}
