import { stat } from 'node:fs/promises';
import { eventually } from '@edge/testing';
import { expect, it } from 'vitest';
import { callManager } from './fake-mapper.js';
import { DmiScene } from './dmi-scene.js';
import { device, model } from './objects.js';

async function until(holds: () => boolean, what: string): Promise<void> {
  await eventually(async () => (holds() ? true : undefined), what);
}

it('[dmi-2.1] a mapper registers before there are devices, and is told of each as it comes: model, device, change, removals', async () => {
  await using scene = await DmiScene.start();
  await using mapper = scene.mapper();
  await mapper.serve();
  expect(await mapper.register(scene.socket, { protocol: 'modbus' })).toEqual({ deviceList: [], modelList: [] });
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', device());
  await until(() => mapper.devices.size === 1, 'the device is registered');
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '30'));
  await until(() => mapper.devices.get('default/thermo-1')?.spec?.properties[0]?.desired?.value === '30', 'the desired value arrives');
  scene.push('delete', 'default/devicemodel/thermo-model', model());
  scene.push('delete', 'default/device/thermo-1', device());
  await until(() => mapper.devices.size === 0 && mapper.models.size === 0, 'all is removed');
  expect(mapper.calls).toEqual(['CreateDeviceModel', 'RegisterDevice', 'UpdateDevice', 'RemoveDeviceModel', 'RemoveDevice']);
  expect((await stat(scene.socket)).mode & 0o777).toBe(0o660);
});

it('[dmi-2.2] a mapper that registers after its devices came gets them with the answer, and no calls', async () => {
  await using scene = await DmiScene.start();
  scene.push('insert', 'default/device/thermo-1', device());
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/other', device('other', '1', { protocol: { protocolName: 'opcua' } }));
  await using mapper = scene.mapper();
  const { deviceList, modelList } = await mapper.register(scene.socket, { protocol: 'modbus' });
  expect(deviceList.map(({ name }) => name)).toEqual(['thermo-1']);
  expect(modelList.map(({ name }) => name)).toEqual(['thermo-model']);
  await mapper.serve();
  await until(() => scene.dmi.health().some(({ connected, pending }) => connected && pending === 0), 'the mapper is connected');
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '31'));
  await until(() => mapper.calls.length > 0, 'a call');
  expect(mapper.calls).toEqual(['UpdateDevice']);
  expect(scene.rows.get('node/nodeID/namespace/devicemapper/fake-mapper')).toEqual({
    name: 'fake-mapper',
    version: 'v1.13.0',
    api_version: 'v1.0.0',
    protocol: 'modbus',
    address: Buffer.from(mapper.socket).toString('base64'),
    state: 'ok',
  });
});

it('[dmi-2.3] reports reach the twin', async () => {
  await using scene = await DmiScene.start();
  await callManager(scene.socket, 'reportDeviceStatus', {
    deviceName: 'thermo-1',
    deviceNamespace: 'default',
    reportedDevice: { twins: [{ propertyName: 'temperature', observedDesired: { value: '25', metadata: {} }, reported: { value: '23', metadata: { type: 'int' } } }], reportToCloud: false, reportCycle: 0 },
  });
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'thermo-1', deviceNamespace: 'default', state: 'online' });
  expect(scene.reported).toEqual([
    { id: 'default/thermo-1', properties: { temperature: { expected: { value: '25' }, actual: { value: '23' } } } },
    { id: 'default/thermo-1', state: 'online' },
  ]);
});
