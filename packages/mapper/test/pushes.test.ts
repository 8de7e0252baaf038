import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PushMethod } from '@edge/protocol/dmi';
import { errorText } from '../src/errors.js';
import { line } from '../src/push/influxdb2-target.js';
import { mysqlTarget } from '../src/push/mysql-target.js';
import { localTime, withoutSecrets, type PushedValue } from '../src/push/push-target.js';
import { redisTarget } from '../src/push/redis-target.js';
import { statements } from '../src/push/tdengine-target.js';
import { testDevice } from '../src/testing/index.js';
import { bench, eventually, TableDriver } from './support.js';

interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const here = bench();
const NONE: PushMethod = { http: undefined, mqtt: undefined, otel: undefined, dbMethod: undefined, anomalyDetection: undefined };
const NO_DATABASE = { influxdb2: undefined, redis: undefined, tdengine: undefined, mysql: undefined };
const VALUE: PushedValue = { namespace: 'default', device: 'dev1', property: 'temperature', type: 'FLOAT', text: '21.5', at: 1_760_000_000_123 };

let server: Server;
let port = 0;
let seen: Seen[] = [];
let answer = 204;

beforeEach(async () => {
  seen = [];
  answer = 204;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers, body });
      response.writeHead(answer).end(answer === 204 ? undefined : 'the disk is full');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** A mapper with one device whose temperature goes this way. */
async function pushing(push: Partial<PushMethod>, options: Parameters<typeof here.start>[1] = {}, property = {}): Promise<TableDriver> {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: { type: 'FLOAT', reportToCloud: false, pushMethod: { ...NONE, ...push }, ...property } } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  driver.values.set('temperature', 21.5);
  await here.start(driver, options);
  return driver;
}

it('[mapper-6.1] HTTP: a form with the property and the time, also of a property that is not reported to the cloud', async () => {
  await pushing({ http: { hostname: 'http://127.0.0.1', port, requestpath: '/in', timeout: 5 } });
  await eventually(() => expect(seen.length).toBeGreaterThan(1));
  expect(seen[0]).toMatchObject({ url: '/in', method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  const form = new URLSearchParams(seen[0]?.body);
  expect([...form.keys()]).toEqual(['temperature', 'time']);
  expect(form.get('temperature')).toBe('21.5');
  expect(form.get('time')).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  expect(here.edgeCore.statuses).toEqual([]);
});

it('[mapper-6.2] MQTT: a message as mapper-framework publishes it, with QoS and retain; a broker that is down at first or restarts', async () => {
  const probe = createTcpServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: brokerPort } = probe.address() as AddressInfo;
  probe.close();
  await pushing({ mqtt: { address: `tcp://127.0.0.1:${brokerPort}`, topic: 't/a', qos: 1, retained: true } }, { timing: { longestPauseMs: 50 } });
  await eventually(() => expect(here.lines.join('\n')).toContain('push of temperature by mqtt failed'), );
  for (let start = 0; start < 2; start += 1) {
    const broker = await Aedes.createBroker();
    const messages: { topic: string; payload: string; qos: number; retain: boolean }[] = [];
    broker.on('publish', ({ topic, payload, qos, retain }, client) => void (client && messages.push({ topic, payload: payload.toString(), qos, retain })));
    const sockets = new Set<{ destroy(): void }>();
    const tcp = createTcpServer((socket) => {
      sockets.add(socket);
      broker.handle(socket);
    }).listen(brokerPort, '127.0.0.1');
    await eventually(() => expect(messages.length).toBeGreaterThan(1));
    expect(messages[0]).toEqual({ topic: 't/a', payload: expect.stringMatching(/^time is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}t\/a: 21\.5$/) as string, qos: 1, retain: true });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => tcp.close(resolve));
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  }
});

it('[mapper-6.3] OpenTelemetry: a gauge in OTLP/JSON with the device as resource', async () => {
  await pushing({ otel: { endpointURL: `http://127.0.0.1:${port}/v1/metrics` } });
  await eventually(() => expect(seen.length).toBeGreaterThan(0));
  expect(seen[0]).toMatchObject({ url: '/v1/metrics', headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'device.id', value: { stringValue: 'default/dev1' } }] },
        scopeMetrics: [{ scope: { name: '@edge/mapper' }, metrics: [{ name: 'temperature', gauge: { dataPoints: [{ timeUnixNano: expect.stringMatching(/^\d{19}$/) as string, asDouble: 21.5 }] } }] }],
      },
    ],
  });
});

it('[mapper-6.4] InfluxDB 2: a line by the write API with the token', async () => {
  const influxdb2 = { influxdb2ClientConfig: { url: `http://127.0.0.1:${port}/`, org: 'my org', bucket: 'b' }, influxdb2DataConfig: { measurement: 'm m', tag: { unit: 'C' }, fieldKey: 'v' } };
  await pushing({ dbMethod: { ...NO_DATABASE, influxdb2 } }, { env: { TOKEN: 'secret' } });
  await eventually(() => expect(seen.length).toBeGreaterThan(0));
  expect(seen[0]).toMatchObject({ url: '/api/v2/write?org=my+org&bucket=b&precision=ms', headers: { authorization: 'Token secret' } });
  expect(seen[0]?.body).toMatch(/^m\\ m,unit=C v=21\.5 \d{13}$/);
  expect(line({ ...VALUE, type: 'STRING', text: 'a "b"' }, 'm', { 'k=1': 'a,b' }, 'f')).toBe('m,k\\=1=a\\,b f="a \\"b\\"" 1760000000123');
});

it('[mapper-6.5] TDengine: the table is made once, then rows by its REST interface', async () => {
  const tdengine = { tdEngineClientConfig: { addr: `127.0.0.1:${port}`, dbname: 'd' } };
  await pushing({ dbMethod: { ...NO_DATABASE, tdengine } }, { env: { USERNAME: 'u', PASSWORD: 'p' } });
  await eventually(() => expect(seen.length).toBeGreaterThan(2));
  expect(seen[0]).toMatchObject({ url: '/rest/sql/d', headers: { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` } });
  expect(seen.map(({ body }) => body.split(' ').slice(0, 2).join(' '))).toEqual(['CREATE STABLE', 'INSERT INTO', 'INSERT INTO', ...seen.slice(3).map(() => 'INSERT INTO')]);
  expect(statements({ ...VALUE, type: 'STRING', text: "o'clock" })[1]).toBe("INSERT INTO `default/dev1/temperature` USING `default/dev1` TAGS ('temperature') VALUES (1760000000123, 'default/dev1', 'temperature', 'o\\'clock', 'string')");
});

it('[mapper-6.6] redis and mysql go through their own libraries; a library that is not installed is named', async () => {
  const calls: unknown[] = [];
  const signal = new AbortController().signal;
  const redis = redisTarget({ redisClientConfig: { addr: '127.0.0.1:6379', db: 3, poolsize: 1, minIdleConns: 1 } }, { PASSWORD: 'p' }, async () => ({
    createClient: (options: unknown) => (calls.push(options), { on: () => undefined, isReady: true, connect: async () => undefined, zAdd: async (key: string, member: unknown) => calls.push([key, member]), destroy: () => calls.push('destroy') }),
  }));
  await redis.push(VALUE, signal);
  await redis.close?.();
  expect(calls).toEqual([
    { url: 'redis://127.0.0.1:6379', database: 3, password: 'p', disableOfflineQueue: true },
    ['dev1', { score: VALUE.at, value: JSON.stringify({ DeviceName: 'dev1', PropertyName: 'temperature', Namespace: 'default', Value: '21.5', Type: 'float', TimeStamp: VALUE.at }) }],
    'destroy',
  ]);

  calls.length = 0;
  const mysql = mysqlTarget({ mysqlClientConfig: { addr: '127.0.0.1:3306', database: 'd', userName: 'u' } }, { PASSWORD: 'p' }, async () => ({
    createPool: (options: unknown) => (calls.push(options), { query: async (...query: unknown[]) => calls.push(query), end: async () => calls.push('end') }),
  }));
  await mysql.push(VALUE, signal);
  await mysql.push(VALUE, signal);
  await mysql.close?.();
  const insert = ['INSERT INTO `default/dev1/temperature` (ts, field) VALUES (?, ?)', [localTime(VALUE.at), '21.5']];
  expect(calls).toEqual([
    { host: '127.0.0.1', port: 3306, user: 'u', password: 'p', database: 'd', connectionLimit: 2 },
    ['CREATE TABLE IF NOT EXISTS `default/dev1/temperature` (id INT AUTO_INCREMENT PRIMARY KEY, ts DATETIME NOT NULL, field TEXT)'],
    insert,
    insert,
    'end',
  ]);

  await pushing({ dbMethod: { ...NO_DATABASE, mysql: { mysqlClientConfig: { addr: '127.0.0.1:1', database: 'd', userName: 'u' } } } });
  await eventually(() => expect(here.lines.join('\n')).toContain('a push method of a device needs the package "mysql2": npm install mysql2'));
});

it('[mapper-6.7] a target that fails is said once, tried again with growing pauses, and harms no other way', async () => {
  answer = 507;
  const driver = await pushing({ http: { hostname: 'http://127.0.0.1', port, requestpath: '/in', timeout: 5 } }, {}, { reportToCloud: true, collectCycle: 5 });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(20));
  expect(seen.length).toBeLessThan(driver.count('read temperature'));
  expect(here.lines.filter((text) => text.includes(`POST http://127.0.0.1:${port}/in: answered 507 the disk is full`))).toHaveLength(1);
  answer = 204;
  await eventually(() => expect(here.lines.join('\n')).toContain('push of temperature by http works again'));
});

it('[mapper-6.8] a target that hangs is given up in time; meanwhile nothing piles up', async () => {
  const hung = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  await once(hung, 'listening');
  let connections = 0;
  hung.on('connection', (socket) => {
    connections += 1;
    socket.on('error', () => undefined);
  });
  const driver = await pushing({ http: { hostname: '127.0.0.1', port: (hung.address() as AddressInfo).port, requestpath: 'in', timeout: 1 } }, {}, { collectCycle: 5 });
  await eventually(() => expect(here.lines.join('\n')).toContain('no answer within 1000 ms'));
  expect(driver.count('read temperature')).toBeGreaterThan(connections * 3);
  hung.close();
});

it('[mapper-6.9] a target that no property uses any more is closed, and not before', async () => {
  const broker = await Aedes.createBroker();
  let published = 0;
  broker.on('publish', (_packet, client) => void (client && (published += 1)));
  const tcp = createTcpServer((socket) => void broker.handle(socket)).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  try {
    const mqtt = { ...NONE, mqtt: { address: `127.0.0.1:${(tcp.address() as AddressInfo).port}`, topic: 't/a', qos: 0, retained: false } };
    const http = { ...NONE, http: { hostname: 'http://127.0.0.1', port, requestpath: '/in', timeout: 5 } };
    const properties = (a: PushMethod | undefined, b: PushMethod | undefined): Parameters<typeof testDevice>[0] => ({ properties: { a: { pushMethod: a }, b: { pushMethod: b } } });
    await here.edgeCore.start();
    const { device, model } = testDevice(properties(mqtt, mqtt));
    await here.edgeCore.add(device, model);
    await here.start(new TableDriver());
    await eventually(() => expect(published).toBeGreaterThan(3));
    expect(broker.connectedClients).toBe(1);
    // One of two goes: the other one's way stays open.
    await here.edgeCore.update(testDevice(properties(mqtt, undefined)).device);
    const before = published;
    await eventually(() => expect(published).toBeGreaterThan(before + 5));
    expect(broker.connectedClients).toBe(1);
    await here.edgeCore.update(testDevice(properties(http, undefined)).device);
    await eventually(() => expect(seen.length).toBeGreaterThan(0));
    await eventually(() => expect(broker.connectedClients).toBe(0));
    expect(here.lines.filter((text) => text.includes('failed'))).toEqual([]);
  } finally {
    tcp.close();
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  }
});

it.each([
  ['mqtt://user:pass@word@broker:1883/x?token=t', 'mqtt://broker:1883/x'],
  ['user:password@broker:1883', 'broker:1883'],
  ['redis://:password@host:6379/0', 'redis://host:6379/0'],
  ['http://host/a@b', 'http://host/a@b'],
  ['host:1883', 'host:1883'],
])('[mapper-6.10] of the address %s a log shows %s', (address, shown) => {
  expect(withoutSecrets(address)).toBe(shown);
});

it('[mapper-6.11] a password in the address of a target is in no log', async () => {
  const { port: closed } = await new Promise<AddressInfo>((resolve) => {
    const probe = createTcpServer().listen(0, '127.0.0.1', () => {
      const address = probe.address() as AddressInfo;
      probe.close(() => resolve(address));
    });
  });
  const signal = AbortSignal.timeout(20_000);
  const redis = redisTarget({ redisClientConfig: { addr: 'redis://u:hidden@127.0.0.1:1', db: 0, poolsize: 1, minIdleConns: 1 } }, {}, () => Promise.reject(new Error('no library')));
  const error: unknown = await redis.push(VALUE, signal).catch((thrown: unknown) => thrown);
  expect(errorText(error)).toBe('redis redis://127.0.0.1:1: no library');
  await pushing({ mqtt: { address: `mqtt://u:hidden@127.0.0.1:${closed}`, topic: 't', qos: 0, retained: false } });
  await eventually(() => expect(here.lines.join('\n')).toContain(`MQTT mqtt://127.0.0.1:${closed}`));
  expect(here.lines.join('\n')).not.toContain('hidden');
});
