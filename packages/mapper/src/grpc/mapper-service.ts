import { DeviceMapperServiceDefinition } from '@edge/protocol/dmi';
import type { Devices } from '../device/devices.js';
import { handler, type Handler } from './socket-server.js';

const { methods, fullName } = DeviceMapperServiceDefinition;

/** What EdgeCore tells a mapper: call → what it does to the table of devices. */
export function mapperService(devices: Devices): Handler[] {
  return [
    handler(fullName, methods.registerDevice, ({ device }) => {
      devices.upsertDevice(device);
      return { deviceName: device?.name ?? '', deviceNamespace: device?.namespace ?? '' };
    }),
    handler(fullName, methods.updateDevice, ({ device }) => {
      devices.upsertDevice(device);
      return {};
    }),
    handler(fullName, methods.removeDevice, ({ deviceName, deviceNamespace }) => {
      devices.removeDevice(deviceNamespace, deviceName);
      return {};
    }),
    handler(fullName, methods.createDeviceModel, ({ model }) => {
      devices.upsertModel(model);
      return { deviceModelName: model?.name ?? '', deviceModelNamespace: model?.namespace ?? '' };
    }),
    handler(fullName, methods.updateDeviceModel, ({ model }) => {
      devices.upsertModel(model);
      return {};
    }),
    handler(fullName, methods.removeDeviceModel, ({ modelName, modelNamespace }) => {
      devices.removeModel(modelNamespace, modelName);
      return {};
    }),
    handler(fullName, methods.getDevice, ({ deviceName, deviceNamespace }) => ({ device: devices.wireDevice(deviceNamespace, deviceName) })),
  ];
}
