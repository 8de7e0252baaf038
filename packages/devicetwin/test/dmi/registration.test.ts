import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Device } from '@edge/protocol';
import { expect, it } from 'vitest';
import { callManager } from './fake-mapper.js';
import { listenAt } from '../../src/dmi/server/socket.js';
import { DmiScene, until } from './dmi-scene.js';
import { device, model } from './objects.js';

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

it('[dmi-2.15] a device that was changed on the node itself, at the version that the cloud gave it, reaches the mapper', async () => {
  await using scene = await DmiScene.start();
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, { protocol: 'modbus' });
  const at = (resourceVersion: string, desired: string): Device => ({ ...device('thermo-1', desired), metadata: { ...device().metadata, resourceVersion } });
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', at('7', '25'));
  await until(() => mapper.devices.size === 1, 'the device is registered');
  scene.push('update', 'default/device/thermo-1', at('7', '31'));
  await until(() => mapper.devices.get('default/thermo-1')?.spec?.properties[0]?.desired?.value === '31', 'the desired value arrives');
  scene.push('update', 'default/device/thermo-1', at('8', '22'));
  await until(() => mapper.devices.get('default/thermo-1')?.spec?.properties[0]?.desired?.value === '22', 'the value of the cloud arrives');
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

it('[dmi-2.4] a mapper that asks for no data gets it by calls', async () => {
  await using scene = await DmiScene.start();
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', device());
  await using mapper = scene.mapper();
  await mapper.serve();
  expect(await mapper.register(scene.socket, { protocol: 'modbus', withData: false })).toEqual({ deviceList: [], modelList: [] });
  await until(() => mapper.calls.length === 2, 'two calls');
  expect(mapper.calls).toEqual(['CreateDeviceModel', 'RegisterDevice']);
});

it.each([
  ['no mapper', { withData: true }, 'the request names no mapper'],
  ['no protocol', { withData: true, mapper: { name: 'm', version: '', apiVersion: '', protocol: '', address: Buffer.from('/m.sock'), state: '' } }, 'fail to register mapper m because the protocol is nil'],
  ['no name', { withData: true, mapper: { name: '', version: '', apiVersion: '', protocol: 'p', address: Buffer.from('/m.sock'), state: '' } }, 'the name is nil'],
  ['a name with a slash', { withData: true, mapper: { name: 'a/b', version: '', apiVersion: '', protocol: 'p', address: Buffer.from('/m.sock'), state: '' } }, 'the name has a slash'],
  ['an address that is no path', { withData: true, mapper: { name: 'm', version: '', apiVersion: '', protocol: 'p', address: Buffer.from('127.0.0.1:80'), state: '' } }, 'the address "127.0.0.1:80" is not the absolute path of its socket'],
  ['a path that no socket can have', { withData: true, mapper: { name: 'm', version: '', apiVersion: '', protocol: 'p', address: Buffer.from(`/${'a'.repeat(107)}`), state: '' } }, 'longer than the 107 bytes'],
])('[dmi-2.5] a registration with %s is refused with code 2, in words', async (_, request, text) => {
  await using scene = await DmiScene.start();
  await expect(callManager(scene.socket, 'mapperRegister', request)).rejects.toMatchObject({ code: 2, details: expect.stringContaining(text) as string });
});

it('[dmi-2.6] a registration that could not be stored is refused, and the next one is taken', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  scene.diskWorks = false;
  await using mapper = scene.mapper();
  await expect(mapper.register(scene.socket, { protocol: 'modbus' })).rejects.toMatchObject({ code: 2, details: expect.stringContaining('the disk is full') as string });
  scene.diskWorks = true;
  await mapper.register(scene.socket, { protocol: 'modbus' });
  expect(scene.rows.has('node/nodeID/namespace/devicemapper/fake-mapper')).toBe(true);
});

it('[dmi-2.7] a mapper that comes back at another address is called there; one of another name takes over its protocol', async () => {
  await using scene = await DmiScene.start();
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', device());
  await using first = scene.mapper('first');
  await using second = scene.mapper('second');
  for (const mapper of [first, second]) await mapper.serve();
  await first.register(scene.socket, { protocol: 'modbus' });
  await second.register(scene.socket, { protocol: 'modbus' });
  expect(scene.rows.get('node/nodeID/namespace/devicemapper/fake-mapper')).toMatchObject({ address: Buffer.from(second.socket).toString('base64') });
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '26'));
  await until(() => second.calls.length === 1, 'a call to the second');
  await first.register(scene.socket, { name: 'another', protocol: 'modbus' });
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '27'));
  await until(() => first.calls.length === 1, 'a call to the first');
  expect([first.calls, second.calls]).toEqual([['UpdateDevice'], ['UpdateDevice']]);
  expect([...scene.rows.keys()].filter((key) => key.includes('devicemapper'))).toEqual(['node/nodeID/namespace/devicemapper/another']);
});

it('[dmi-2.8] a device that changes its protocol leaves one mapper for the other', async () => {
  await using scene = await DmiScene.start();
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', device());
  await using modbus = scene.mapper('modbus');
  await using opcua = scene.mapper('opcua');
  for (const mapper of [modbus, opcua]) await mapper.serve();
  await modbus.register(scene.socket, { name: 'm', protocol: 'modbus' });
  await opcua.register(scene.socket, { name: 'o', protocol: 'opcua' });
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '25', { protocol: { protocolName: 'opcua', configData: {} } }));
  await until(() => modbus.devices.size === 0 && opcua.devices.size === 1, 'the device moves');
  expect([modbus.calls, opcua.calls]).toEqual([['RemoveDevice'], ['CreateDeviceModel', 'RegisterDevice']]);
});

it('[dmi-2.9] an answer that would be too big for a client is cut, the rest follows by calls', async () => {
  await using scene = await DmiScene.start();
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  const big = { protocol: { protocolName: 'modbus', configData: { note: 'x'.repeat(900_000) } } };
  for (let i = 0; i < 6; i += 1) scene.push('insert', `default/device/d${i}`, device(`d${i}`, '1', big));
  await using mapper = scene.mapper();
  await mapper.serve();
  const { deviceList } = await mapper.register(scene.socket, { protocol: 'modbus' });
  expect(deviceList.length).toBeGreaterThan(0);
  await until(() => mapper.devices.size === 6, 'all devices');
  expect(deviceList.length).toBeLessThan(6);
  expect([...mapper.starts].sort()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd5'].map((name) => `default/${name}`));
});

it('[dmi-2.10] what is left of another socket is replaced, a deleted one is made anew, and the directory where there is none', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  await scene.agentStops();
  await expect(stat(scene.socket)).rejects.toMatchObject({ code: 'ENOENT' });
  await writeFile(scene.socket, 'stale');
  await scene.agentStarts();
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'default', state: 'online' });
  await rm(scene.socket);
  await until(() => scene.lines.filter(({ message }) => message === 'mappers are served').length === 3, 'the socket is made anew');
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'default', state: 'online' });
  expect(scene.reported).toHaveLength(2);
  await scene.agentStops();
  await rm(dirname(scene.socket), { recursive: true });
  await scene.agentStarts();
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'default', state: 'online' });
  expect((await stat(dirname(scene.socket))).mode & 0o777).toBe(0o750);
});

it('[dmi-2.11] a socket that cannot be made is said and tried again', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  await scene.agentStops();
  await mkdir(scene.socket);
  await writeFile(join(scene.socket, 'f'), '');
  await scene.agentStarts();
  await scene.logged('mappers cannot be served; it is tried again until it works');
  expect(scene.lines.find(({ level }) => level === 'error')?.fields['reason']).toContain(scene.socket);
  await rm(scene.socket, { recursive: true });
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'default', state: 'online' });
});

it('[dmi-2.12] a path that is too long for a socket is said, with what helps; one of the longest works', async () => {
  await using scene = await DmiScene.start();
  const folder = (bytes: number): string => join(scene.folder, 'f'.repeat(bytes - scene.folder.length - '//dmi.sock'.length));
  await expect(listenAt(join(folder(108), 'dmi.sock'), () => undefined)).rejects.toMatchObject({ code: 'devicetwin.dmi-socket', message: expect.stringContaining('a shorter modules.deviceTwin.dmiSockPath helps') as string });
  const longest = join(folder(107), 'dmi.sock');
  await using listening = await listenAt(longest, () => undefined);
  expect([longest.length, await listening.look()]).toEqual([107, 'here']);
});

it('[dmi-2.13] a registration that is refused counts for nobody, and its refusal is short however long the name', async () => {
  await using scene = await DmiScene.start({ callsPerSecond: 0.001, burst: 1 });
  await scene.logged('mappers are served');
  const named = (name: string, protocol: string): unknown => ({ withData: true, mapper: { name, version: '', apiVersion: '', protocol, address: Buffer.from('/m.sock'), state: '' } });
  for (let round = 0; round < 2; round += 1) {
    await expect(callManager(scene.socket, 'mapperRegister', named('m', ''))).rejects.toMatchObject({ details: expect.stringContaining('the protocol is nil') as string });
  }
  await expect(callManager(scene.socket, 'mapperRegister', named('n'.repeat(1024 * 1024), 'p'))).rejects.toMatchObject({ code: 2, details: expect.stringMatching(/^fail to register mapper n{253} because name or protocol is longer/) as string });
  await callManager(scene.socket, 'mapperRegister', named('m', 'p'));
});

it('[dmi-2.14] a mapper that registers once more, as it was, is no news', async () => {
  await using scene = await DmiScene.start();
  await using mapper = scene.mapper();
  for (let round = 0; round < 3; round += 1) await mapper.register(scene.socket, { protocol: 'modbus' });
  const said = scene.lines.filter(({ message }) => message.startsWith('a mapper has registered'));
  expect(said.map(({ level }) => level === 'info')).toEqual([true, false, false]);
});
