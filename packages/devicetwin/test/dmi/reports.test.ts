import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { DmiScene, until } from './dmi-scene.js';
import { callManager, callRaw } from './fake-mapper.js';
import { device, model } from './objects.js';

const twin = (propertyName: string, value: string): unknown => ({ propertyName, observedDesired: undefined, reported: { value, metadata: {} } });
const report = (twins: readonly unknown[], deviceName = 'thermo-1', deviceNamespace = 'default'): unknown => ({ deviceName, deviceNamespace, reportedDevice: { twins, reportToCloud: false, reportCycle: 0 } });
const PATHS = ['MapperRegister', 'ReportDeviceStatus', 'ReportDeviceStates'].map((name) => `/v1beta1.DeviceManagerService/${name}`);

it('[dmi-7.1] several twins of one request are one update; one side is enough', async () => {
  await using scene = await DmiScene.start();
  await callManager(scene.socket, 'reportDeviceStatus', report([twin('a', '1'), { propertyName: 'b', observedDesired: { value: '', metadata: {} }, reported: undefined }, twin('__proto__', '3'), twin('a', '2')]));
  expect(scene.reported).toEqual([{ id: 'default/thermo-1', properties: Object.fromEntries([['a', { actual: { value: '2' } }], ['b', { expected: { value: '' } }], ['__proto__', { actual: { value: '3' } }]]) }]);
});

it('[dmi-7.2] the answer comes after the commit', async () => {
  await using scene = await DmiScene.start();
  let commit = (): void => undefined;
  scene.outcome = () => new Promise((resolve) => (commit = () => resolve({ kind: 'done' })));
  let answered = false;
  const call = callManager(scene.socket, 'reportDeviceStatus', report([twin('a', '1')])).then(() => (answered = true));
  await until(() => scene.reported.length === 1, 'the report arrives');
  await callManager(scene.socket, 'mapperRegister', { withData: false, mapper: undefined }).catch(() => undefined);
  expect(answered).toBe(false);
  commit();
  await call;
});

it('[dmi-7.3] of a request with a bad value the others are taken; the answer names the bad one', async () => {
  await using scene = await DmiScene.start();
  scene.outcome = (reported) => ('properties' in reported && Object.values(reported.properties).some(({ actual }) => actual?.value === 'bad value') ? { kind: 'refused', code: 400, reason: 'the value is bad' } : { kind: 'done' });
  const call = callManager(scene.socket, 'reportDeviceStatus', report([twin('a', '1'), twin('b', 'bad value'), twin('c', '3')]));
  await expect(call).rejects.toMatchObject({ code: 3, details: 'b: the value is bad' });
  expect(scene.reported.slice(1).map((reported) => ('properties' in reported ? Object.keys(reported.properties) : []))).toEqual([['a'], ['b'], ['c']]);
});

it.each([
  ['an unknown device', 404, 5],
  ['a bad value', 400, 3],
  ['a disk that fails, where repeating helps', 500, 14],
])('[dmi-7.4] %s (%i) is an error with code %i', async (_, code, status) => {
  await using scene = await DmiScene.start();
  scene.outcome = () => ({ kind: 'refused', code, reason: 'because' });
  await expect(callManager(scene.socket, 'reportDeviceStatus', report([twin('a', '1')]))).rejects.toMatchObject({ code: status, details: 'because' });
  await expect(callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'n', state: 's' })).rejects.toMatchObject({ code: status, details: 'because' });
});

it.each([
  ['reportDeviceStatus', { deviceName: 'd', deviceNamespace: 'n', reportedDevice: undefined }, 2, 'ReportDeviceStatusRequest does not have twin data'],
  ['reportDeviceStatus', report([]), 2, 'ReportDeviceStatusRequest does not have twin data'],
  ['reportDeviceStatus', report([{ propertyName: 'a', observedDesired: undefined, reported: undefined }]), 3, 'twin "a" has neither observedDesired nor reported'],
  ['reportDeviceStatus', report([twin('a', '1')], ''), 2, 'ReportDeviceStatusRequest does not have a device name'],
  ['reportDeviceStates', { deviceName: '', deviceNamespace: 'n', state: 'ok' }, 2, 'ReportDeviceStatesRequest is invalid data'],
  ['reportDeviceStates', { deviceName: 'd', deviceNamespace: 'n', state: '' }, 2, 'ReportDeviceStatesRequest is invalid data'],
] as const)('[dmi-7.5] %s of nothing is refused in upstream\'s words where it has some', async (name, request, code, details) => {
  await using scene = await DmiScene.start();
  await expect(callManager(scene.socket, name, request)).rejects.toMatchObject({ code, details });
  expect(scene.reported).toEqual([]);
});

it('[dmi-7.6] a mapper that calls too often is refused in upstream\'s words, and others are not', async () => {
  await using scene = await DmiScene.start({ callsPerSecond: 0.001, burst: 3 });
  await scene.logged('mappers are served');
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', device());
  scene.push('insert', 'default/device/other', device('other', '1', { protocol: { protocolName: 'other' } }));
  await using one = scene.mapper('one');
  await using two = scene.mapper('two');
  await one.register(scene.socket, { name: 'one', protocol: 'modbus' });
  await two.register(scene.socket, { name: 'two', protocol: 'other' });
  const send = (name: string): Promise<unknown> => callManager(scene.socket, 'reportDeviceStatus', report([twin('a', '1')], name));
  await send('thermo-1');
  await send('thermo-1');
  await expect(send('thermo-1')).rejects.toMatchObject({ code: 2, details: 'fail to report device status because of too many request: thermo-1' });
  await expect(callManager(scene.socket, 'reportDeviceStates', { deviceName: 'thermo-1', deviceNamespace: 'default', state: 'ok' })).rejects.toMatchObject({ code: 2, details: 'fail to report device states because of too many request: thermo-1' });
  await expect(one.register(scene.socket, { name: 'one', protocol: 'modbus' })).rejects.toMatchObject({ code: 2, details: 'fail to register mapper because of too many request: one' });
  await send('other');
  await send('unknown');
});

it('[dmi-7.7] a report without namespace, as mappers of old send it, is one of the default namespace', async () => {
  await using scene = await DmiScene.start();
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: '', state: 'ok' });
  expect(scene.reported).toEqual([{ id: 'default/d', state: 'ok' }]);
});

function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('[dmi-7.8] requests of any bytes, and of more than 4 MiB, fail for their sender alone', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  const random = randoms(7);
  const valid = Buffer.from('0a0874686572 6d6f2d31121b0a190a0b74656d70657261747572651204 0a0232351a040a0232331a0764656661756c74'.replaceAll(' ', ''), 'hex');
  const request = (): Buffer => {
    if (random() < 0.5) return Buffer.from(Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 256)));
    const bent = Buffer.from(valid);
    for (let i = 0; i < 3; i += 1) bent[Math.floor(random() * bent.length)] = Math.floor(random() * 256);
    return bent.subarray(0, Math.floor(random() * (bent.length + 1)));
  };
  const fates = await Promise.all(
    Array.from({ length: 120 }, (_, i) => callRaw(scene.socket, PATHS[i % 3] as string, request()).then(() => 'ok', (error: { code: number }) => `code ${error.code}`)),
  );
  // A bent request may still be one; none is left without an answer.
  expect(fates.filter((fate) => !['ok', 'code 2', 'code 3', 'code 13'].includes(fate))).toEqual([]);
  await expect(callRaw(scene.socket, PATHS[1] as string, Buffer.alloc(4 * 1024 * 1024 + 1))).rejects.toMatchObject({ code: 8 });
  await expect(callRaw(scene.socket, '/v1beta1.DeviceManagerService/Nothing', Buffer.alloc(0))).rejects.toMatchObject({ code: 12 });
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'n', state: 'ok' });
}, 60_000);

it('[dmi-7.9] connections of any bytes harm nobody', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  const random = randoms(11);
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = Buffer.from('000000040000000000', 'hex');
  await Promise.all(
    Array.from({ length: 150 }, (_, i) => {
      const noise = Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)));
      // Frames that look like some, so that the noise gets further.
      const frame = Buffer.concat([Buffer.from([0, 0, Math.floor(random() * 40), Math.floor(random() * 12), Math.floor(random() * 64), 0, 0, 0, Math.floor(random() * 4)]), noise]);
      const bytes = i % 3 === 0 ? noise : i % 3 === 1 ? Buffer.concat([preface, noise]) : Buffer.concat([preface, settings, frame]);
      return new Promise<void>((resolve) => {
        const socket = connect(scene.socket, () => socket.end(bytes));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.resume();
      });
    }),
  );
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'd', deviceNamespace: 'n', state: 'ok' });
  expect(scene.reported).toHaveLength(1);
}, 60_000);
