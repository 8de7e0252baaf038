import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { request } from 'node:http';
import { expect, it } from 'vitest';
import { testDevice } from '../src/testing/index.js';
import { bench, eventually, fail, TableDriver } from './support.js';

const here = bench();

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

function ask(port: number, method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text || '{}') as Record<string, unknown> }));
    })
      .on('error', reject)
      .end();
  });
}

async function serving(driver: TableDriver, http: { writeByGet?: boolean } = {}): Promise<number> {
  await here.edgeCore.start();
  const { device, model } = testDevice({
    properties: { temperature: { maximum: '30', collectCycle: 100_000 }, label: { type: 'STRING', accessMode: 'ReadOnly', collectCycle: 100_000 } },
    methods: [{ name: 'setValue', description: '', propertyNames: ['temperature'] }],
  });
  await here.edgeCore.add(device, model);
  const mapper = await here.start(driver, { http: { port: 0, ...http } });
  await eventually(() => expect(mapper.health().devices).toMatchObject([{ state: 'online' }]));
  return mapper.httpPort ?? 0;
}

it('[mapper-7.1] answers the paths of mapper-framework as it does', async () => {
  const driver = new TableDriver();
  driver.values.set('temperature', 23);
  const port = await serving(driver);
  const base = { apiVersion: 'v1', statusCode: 200, timeStamp: expect.stringMatching(/^\d{4}-/) as string };
  expect(await ask(port, 'GET', '/api/v1/ping')).toEqual({ status: 200, body: { ...base, Message: 'This is v1 API, the server is running normally.' } });
  expect(await ask(port, 'GET', '/api/v1/device/default/dev1/temperature')).toEqual({
    status: 200,
    body: { ...base, Data: { DeviceName: 'dev1', PropertyName: 'temperature', Namespace: 'default', Value: '23', Type: 'int', TimeStamp: expect.any(Number) as number } },
  });
  expect(await ask(port, 'GET', '/api/v1/devicemethod/default/dev1')).toEqual({
    status: 200,
    body: { ...base, Data: { Methods: [{ Name: 'setValue', Path: '/api/v1/devicemethod/default/dev1/setValue/{propertyName}/{data}', Parameters: [{ PropertyName: 'temperature', ValueType: 'int' }] }] } },
  });
  expect((await ask(port, 'GET', '/api/v1/meta/model/default/dev1')).body).toMatchObject({ ...base, id: 'default/model1', properties: [{ name: 'temperature', dataType: 'int', maximum: '30' }, { name: 'label' }] });
});

it('[mapper-7.2] writes by PUT and POST, reports the effect at once, and not by GET', async () => {
  const driver = new TableDriver();
  const port = await serving(driver);
  expect(await ask(port, 'PUT', '/api/v1/devicemethod/default/dev1/setValue/temperature/25')).toMatchObject({ status: 200, body: { Message: 'Write data 25 to device default/dev1 successfully.' } });
  expect(driver.values.get('temperature')).toBe(25);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.reported).toBe('25'));
  expect(await ask(port, 'POST', '/api/v1/devicemethod/default/dev1/setValue/temperature/26')).toMatchObject({ status: 200 });
  expect(await ask(port, 'GET', '/api/v1/devicemethod/default/dev1/setValue/temperature/27')).toMatchObject({ status: 405 });
  expect(driver.values.get('temperature')).toBe(26);
});

it('[mapper-7.3] writes by GET when that is switched on', async () => {
  const driver = new TableDriver();
  const port = await serving(driver, { writeByGet: true });
  expect(await ask(port, 'GET', '/api/v1/devicemethod/default/dev1/setValue/temperature/27')).toMatchObject({ status: 200 });
  expect(driver.values.get('temperature')).toBe(27);
});

it.each([
  ['GET', '/api/v1/device/default/nobody/temperature', 404, 'this mapper has no device default/nobody'],
  ['GET', '/api/v1/device/default/dev1/nothing', 404, 'device default/dev1 has no property "nothing"'],
  ['PUT', '/api/v1/devicemethod/default/dev1/other/temperature/1', 404, 'has no method "other"'],
  ['PUT', '/api/v1/devicemethod/default/dev1/setValue/label/1', 404, 'has no method "setValue" for property "label"'],
  ['PUT', '/api/v1/devicemethod/default/dev1/setValue/temperature/31', 400, '31 is out of the range'],
  ['PUT', '/api/v1/devicemethod/default/dev1/setValue/temperature/warm', 400, '"warm" is no INT'],
  ['GET', '/api/v1/device/default/dev1/%zz', 400, 'is not well encoded'],
  ['GET', '/elsewhere', 404, 'there is nothing at /elsewhere'],
  ['DELETE', '/api/v1/ping', 405, '/api/v1/ping takes GET'],
])('[mapper-7.4] %s %s is %d', async (method, path, status, message) => {
  const driver = new TableDriver();
  const port = await serving(driver);
  const answer = await ask(port, method, path);
  expect(answer).toMatchObject({ status, body: { statusCode: status, Message: expect.stringContaining(message) as string } });
  expect(driver.calls.filter((call) => call.startsWith('write'))).toEqual([]);
});

it('[mapper-7.5] what a web page could do is refused: another host\'s name, and writes with an origin', async () => {
  const driver = new TableDriver();
  const port = await serving(driver);
  expect(await ask(port, 'GET', '/api/v1/ping', { host: 'evil.example' })).toMatchObject({ status: 403 });
  expect(await ask(port, 'POST', '/api/v1/devicemethod/default/dev1/setValue/temperature/25', { origin: 'http://evil.example' })).toMatchObject({ status: 403, body: { Message: 'web pages cannot write' } });
  expect(driver.values.size).toBe(0);
});

it('[mapper-7.6] health and readiness tell how mapper and devices are', async () => {
  const driver = new TableDriver();
  const port = await serving(driver);
  driver.instead.set('write temperature', fail('stuck'));
  expect(await ask(port, 'PUT', '/api/v1/devicemethod/default/dev1/setValue/temperature/25')).toMatchObject({ status: 500, body: { Message: 'write of temperature failed: stuck' } });
  expect(await ask(port, 'GET', '/healthz')).toMatchObject({ status: 200, body: { name: 'test-mapper', registered: true, waitingReports: 0, devices: [{ id: 'default/dev1', state: 'online' }] } });
  expect(await ask(port, 'GET', '/readyz')).toMatchObject({ status: 200 });
  await here.edgeCore.stop();
  await eventually(async () => expect(await ask(port, 'GET', '/readyz')).toMatchObject({ status: 503, body: { registered: false } }));
  expect(await ask(port, 'GET', '/healthz')).toMatchObject({ status: 200 });
});

it('[mapper-7.7] a port that is taken is an error when it was asked for', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(here.start(new TableDriver(), { http: { port } })).rejects.toMatchObject({ code: 'mapper.port-in-use', message: expect.stringContaining(`port ${port} of 127.0.0.1 is taken`) as string });
  // Nothing is left of the start that failed.
  await here.edgeCore.start();
  await here.start(new TableDriver());
  other.close();
});
