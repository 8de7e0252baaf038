import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Device, DeviceMapperServiceDefinition, type DeviceModel } from '@edge/protocol/dmi';
import { testDevice, type TestDevice } from '../src/testing/index.js';
import { bench, eventually, fail, TableDriver } from './support.js';

const { methods } = DeviceMapperServiceDefinition;
const here = bench();

it('[mapper-2.1] a device may come before its model', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  const mapper = await here.start(driver);
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.call(methods.registerDevice, { device });
  expect(mapper.health().devices).toMatchObject([{ id: 'default/dev1', state: 'unknown', error: 'waits for its model default/model1' }]);
  await here.edgeCore.call(methods.createDeviceModel, { model });
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toBeDefined());
});

it('[mapper-2.2] a device that is told again is neither opened nor written again', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  await here.start(driver);
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  const { device, model } = testDevice({ config: { host: 'a', port: 1 }, properties: { temperature: { desired: '25' } } });
  await here.edgeCore.add(device, model);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '25', observedDesired: '25' }));
  for (let again = 0; again < 3; again += 1) {
    await here.edgeCore.call(methods.registerDevice, { device });
    await here.edgeCore.update(Device.decode(Device.encode(device).finish()));
    await here.edgeCore.call(methods.updateDeviceModel, { model });
  }
  const reads = driver.count('read temperature');
  await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(reads + 2));
  expect(driver.calls.filter((call) => !call.startsWith('read'))).toEqual(['init default/dev1', 'write temperature=25 default/dev1']);
});

it.each<[string, Partial<TestDevice>, boolean]>([
  ['a desired value', { properties: { temperature: { desired: '30' } } }, false],
  ['cycles', { properties: { temperature: { desired: '25', collectCycle: 30, reportCycle: 30 } } }, false],
  ['the way to the device', { config: { host: 'b' } }, true],
  ['the place of a property', { properties: { temperature: { desired: '25', visitors: { offset: 2 } } } }, true],
  ['the type of a property', { properties: { temperature: { desired: '25', type: 'DOUBLE' } } }, true],
  ['another property', { properties: { temperature: { desired: '25' }, other: {} } }, true],
])('[mapper-2.3] an update of %s: is the driver started again?', async (_title, change, reopened) => {
  const before: TestDevice = { config: { host: 'a' }, properties: { temperature: { desired: '25' } } };
  await here.edgeCore.start();
  const driver = new TableDriver();
  await here.start(driver);
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  const first = testDevice(before);
  await here.edgeCore.add(first.device, first.model);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.observedDesired).toBe('25'));
  const second = testDevice({ ...before, ...change });
  await here.edgeCore.call(methods.updateDeviceModel, { model: second.model });
  await here.edgeCore.update(second.device);
  if (reopened) {
    await eventually(() => expect(driver.opened).toBeGreaterThan(1));
    await eventually(() => expect(driver.stopped).toBe(driver.opened - 1));
  } else {
    const reads = driver.count('read temperature');
    await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(reads + 3));
    expect(driver.opened).toBe(1);
  }
});

it('[mapper-2.4] model and device are removed in the order of EdgeCore, and the driver is stopped', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  const mapper = await here.start(driver);
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toBeDefined());
  await here.edgeCore.remove(device);
  await eventually(() => expect(driver.stopped).toBe(1));
  expect(mapper.health().devices).toEqual([]);
  // What is gone may be removed once more, and come back.
  await here.edgeCore.remove(device);
  await here.edgeCore.add(device, model);
  await eventually(() => expect(driver.opened).toBe(2));
});

it('[mapper-2.5] a device that comes back while its driver is still being stopped waits for it', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  let release = (): void => undefined;
  driver.instead.set('stop', () => new Promise<void>((resolve) => (release = resolve)));
  await here.start(driver);
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(0));
  await here.edgeCore.remove(device);
  await eventually(() => expect(driver.stopped).toBe(1));
  await here.edgeCore.add(device, model);
  expect(driver.opened).toBe(1);
  driver.instead.clear();
  release();
  await eventually(() => expect(driver.opened).toBe(2));
});

it('[mapper-2.6] GetDevice gives what EdgeCore sent, an unknown device is an error', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  await here.start(driver);
  await eventually(() => expect(driver.opened).toBe(1));
  const answer = await here.edgeCore.call(methods.getDevice, { deviceName: 'dev1', deviceNamespace: 'default' });
  expect(answer.device?.spec?.properties.map(({ name }) => name)).toEqual(['temperature']);
  await expect(here.edgeCore.call(methods.getDevice, { deviceName: 'nobody', deviceNamespace: 'default' })).rejects.toThrow('this mapper has no device default/nobody');
});

it('[mapper-2.7] a request without its object is refused and harms nobody', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  await here.start(driver);
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  await expect(here.edgeCore.call(methods.registerDevice, { device: undefined })).rejects.toThrow('names no device');
  await expect(here.edgeCore.call(methods.updateDevice, { device: undefined })).rejects.toThrow('names no device');
  await expect(here.edgeCore.call(methods.createDeviceModel, { model: undefined })).rejects.toThrow('names no device model');
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.call(methods.createDeviceModel, { model });
  await expect(here.edgeCore.call(methods.registerDevice, { device: { ...device, spec: undefined } })).resolves.toBeDefined();
  await here.edgeCore.add({ ...device, name: 'dev2' }, model);
  await eventually(() => expect(here.edgeCore.reported('dev2', 'temperature')).toBeDefined());
});

it('[mapper-2.8] what cannot be used is left out and named; the other properties and devices work', async () => {
  await here.edgeCore.start();
  const odd = testDevice({ name: 'odd', model: 'odd', properties: { good: {}, stream: { type: 'STREAM' }, stray: {} } });
  const broken = testDevice({ name: 'broken', properties: { temperature: {} } });
  const strayModel = { ...odd.model, spec: { properties: (odd.model.spec?.properties ?? []).filter(({ name }) => name !== 'stray'), commands: [] } };
  await here.edgeCore.add({ ...broken.device, spec: { deviceModelReference: 'model1', protocol: { protocolName: 'test', configData: { data: { x: { typeUrl: 'type.googleapis.com/google.protobuf.Struct', value: Buffer.from([1, 2, 3]) } } } }, properties: [], methods: [] } }, broken.model);
  await here.edgeCore.add(odd.device, strayModel);
  await here.start(new TableDriver());
  await eventually(() => expect(here.edgeCore.reported('odd', 'good')).toBeDefined());
  const log = here.lines.join('\n');
  expect(log).toContain('property stream of device default/odd has the type "STREAM", expected one of INT');
  expect(log).toContain('property stray of device default/odd is not in model odd');
  expect(log).toContain('device default/broken: configData.x is of the unknown type "type.googleapis.com/google.protobuf.Struct"');
});

it('[mapper-2.9] takes the calls that a Go EdgeCore was recorded with, and answers as upstream\'s mapper did', async () => {
  type Recorded = { readonly dir: string; readonly method: string; readonly request?: Record<string, unknown>; readonly response?: Record<string, unknown> };
  const recorded = readFileSync(new URL('fixtures/16-dmi.calls.jsonl', import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Recorded);
  await here.edgeCore.start();
  const driver = new TableDriver();
  driver.values.set('temperature', 23);
  driver.instead.set('write temperature', fail('not now'));
  await here.start(driver, { name: 'thermo-mapper', protocol: 'modbus', version: 'v1.13.0', timing: { collectMs: 20 } });
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
  expect(here.edgeCore.registrations[0]).toMatchObject(fields(recorded[0]?.request?.['mapper']));
  const calls = recorded.filter(({ dir, request }) => dir === 'edgecore->mapper' && request);
  for (const { method, request } of calls) {
    const key = (method[0] ?? '').toLowerCase() + method.slice(1);
    if (method === 'RemoveDeviceModel') {
      await eventually(() => expect(driver.calls).toContain('write temperature=30 default/thermo-1'));
      driver.instead.clear();
      await eventually(() => expect(here.edgeCore.reported('thermo-1', 'temperature')).toEqual({ reported: '30', observedDesired: '30' }));
    }
    const answer = await here.edgeCore.call(methods[key as keyof typeof methods] as never, message(request ?? {}) as never);
    const expected = recorded.find((other) => other.dir === 'mapper->edgecore' && other.method === method && other.response)?.response;
    expect(answer, method).toEqual(expected);
  }
  await eventually(() => expect(driver.stopped).toBe(1));
  expect(calls.map(({ method }) => method)).toEqual(['CreateDeviceModel', 'RegisterDevice', 'UpdateDevice', 'RemoveDeviceModel', 'RemoveDevice']);
  const status = here.edgeCore.statuses.at(-1)?.reportedDevice?.twins[0];
  const same = recorded.find(({ method }) => method === 'ReportDeviceStatus')?.request as { reportedDevice: { twins: [{ reported: { metadata: object } }] } };
  expect(Object.keys(status?.reported?.metadata ?? {}).sort()).toEqual(Object.keys(same.reportedDevice.twins[0].reported.metadata).sort());
  expect(status?.reported?.metadata['type']).toBe('int');
});

/** The recording's fields as the generated messages name them, with what proto3 leaves out. */
function message(request: Record<string, unknown>): unknown {
  const device = request['device'];
  const model = request['model'];
  if (device) return { device: withDefaults(fields(device) as unknown as Device) };
  if (model) return { model: withModelDefaults(fields(model) as unknown as DeviceModel) };
  return request;
}

function withDefaults(device: Device): Device {
  const properties = (device.spec?.properties ?? []).map((property) => ({ ...property, desired: { value: property.desired?.value ?? '', metadata: {} } }));
  return Device.decode(Device.encode({ ...device, status: { twins: [], reportToCloud: false, reportCycle: 0 }, spec: { deviceModelReference: '', protocol: undefined, methods: [], ...device.spec, properties } }).finish());
}

function withModelDefaults(model: DeviceModel): DeviceModel {
  const properties = (model.spec?.properties ?? []).map((property) => ({ ...EMPTY_PROPERTY, ...property }));
  return { ...model, spec: { commands: [], properties } };
}

const EMPTY_PROPERTY = { name: '', description: '', type: '', accessMode: '', minimum: '', maximum: '', unit: '' };

function fields(value: unknown): Record<string, unknown> {
  return camel(value) as Record<string, unknown>;
}

function camel(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => camel(item));
  if (typeof value === 'string' && /Cycle$/.test(key)) return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if ('bytes' in value && typeof value.bytes === 'string') return key === 'address' ? expect.anything() : Buffer.from(value.bytes, 'base64');
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), camel(item, name)]));
}
