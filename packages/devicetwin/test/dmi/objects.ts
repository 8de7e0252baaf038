import type { Device, DeviceModel } from '@edge/protocol';

/** A model with the property `temperature`. */
export function model(name = 'thermo-model', spec: Partial<DeviceModel['spec']> = {}): DeviceModel {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'DeviceModel',
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: { protocol: 'modbus', properties: [{ name: 'temperature', type: 'INT', accessMode: 'ReadWrite' }], ...spec },
  };
}

/** A device of that model. */
export function device(name = 'thermo-1', desired = '25', spec: Partial<Device['spec']> = {}): Device {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: {
      deviceModelRef: { name: 'thermo-model' },
      nodeName: 'edge-node',
      protocol: { protocolName: 'modbus', configData: { slaveID: 1 } },
      properties: [{ name: 'temperature', desired: { value: desired }, visitors: { protocolName: 'modbus', configData: { offset: 2 } }, collectCycle: 1000, reportCycle: 1000, reportToCloud: true }],
      ...spec,
    },
  };
}
