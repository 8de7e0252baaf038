import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import type { DeviceStatus } from '@edge/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { startFakeMapper } from '../support/fake-mapper.js';
import { mqttClient } from '../support/mqtt.js';
import { openScene, type Scene } from '../support/scene.js';
import { device, model } from './drift-world.js';
import { PROTOCOL } from './world.js';

const API = 'devices.kubeedge.io/v1beta1';
const SEED = 4;
/** A fuzzed agent may keep so much more than before. */
const MEMORY_MIB = 120;

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** What the cloud has of a property. */
function reported(scene: Scene, name: string, property: string): string | undefined {
  return scene.cloud.api.resource<DeviceStatus>(API, 'devicestatuses').find(name, 'default')?.status?.twins?.find(({ propertyName }) => propertyName === property)?.reported?.value;
}

const word = fc.oneof(fc.constantFrom('default', 'd1', 'd2', 'hw', 'events', 'device', 'node', 'twin', '$hw', '', '%', 'ä', '..', '__proto__'), fc.string({ maxLength: 12 }));
const suffix = fc.constantFrom('/twin/update', '/twin/get', '/twin/cloud_updated', '/state/update', '/state/get', '/membership/get', '/membership/updated', '/twin/update/delta', '/updated', '', '/twin/');
const topic = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(word, word, suffix).map(([namespace, name, end]) => `$hw/events/device/${namespace}/${name}${end}`) },
  { weight: 2, arbitrary: suffix.map((end) => `$hw/events/device/default/d1${end}`) },
  fc.tuple(word, suffix).map(([node, end]) => `$hw/events/node/${node}${end}`),
  fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('/')),
);
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(null, {}, [], '', { value: null }, { value: 7 }, { value: 'x'.repeat(600) }, { metadata: null }));
const twin = fc.dictionary(fc.oneof(word, fc.constantFrom('p0', 'p1')), fc.oneof(value, fc.record({ expected: value, actual: value, optional: value, metadata: value, expected_version: value, actual_version: value }, { requiredKeys: [] })), { maxKeys: 4 });
const payload = fc.oneof(
  { weight: 4, arbitrary: fc.record({ event_id: value, timestamp: value, twin: fc.oneof(value, twin), state: value }, { requiredKeys: [] }).map((body) => Buffer.from(JSON.stringify(body))) },
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

it('[hostile-2.1] whatever comes by MQTT or from a mapper: the agent lives, no device is locked, memory stays bounded', { timeout: 600_000 }, async () => {
  await using scene = await openScene();
  await scene.ready(0, 180_000);
  await scene.cloud.api.resource(API, 'devicemodels').create(model() as never);
  const devices = scene.cloud.api.resource(API, 'devices');
  for (const name of ['d1', 'd2']) await devices.create(device(name, PROTOCOL, 1) as never);
  const edgeSocket = join(scene.folder, 'node', 'agent', 'dmi.sock');
  await using mapper = await startFakeMapper(join(scene.folder, 'mapper.sock'), edgeSocket);
  await using client = await mqttClient(scene.mqttPort, ['$hw/events/device/+/+/twin/update/result']);
  const pid = scene.agent.pid;
  let round = 0;
  // A good report of each device, on both ways in, reaches the cloud.
  const isWell = async (after: string): Promise<void> => {
    round += 1;
    const from = client.received.length;
    const eventId = `well-${round}`;
    await client.publish('$hw/events/device/default/d1/twin/update', JSON.stringify({ event_id: eventId, twin: { p0: { actual: { value: String(round) } } } }));
    const { payload: answer } = await client.next(({ payload: text }) => text.includes(eventId), from);
    expect(answer, after).toContain(`"value":"${round}"`);
    await mapper.call('ReportDeviceStatus', { deviceName: 'd2', deviceNamespace: 'default', reportedDevice: { twins: [{ propertyName: 'p0', reported: { value: String(round), metadata: {} } }], reportToCloud: true, reportCycle: 0 } });
    await eventually(() => ['d1', 'd2'].every((name) => reported(scene, name, 'p0') === String(round)), 180_000, () => `after ${after} the cloud does not hear of good reports; the agent's log ends:\n${scene.agent.log.slice(-3000)}`);
    expect(scene.agent.pid, after).toBe(pid);
  };
  await eventually(
    async () => {
      const from = client.received.length;
      await client.publish('$hw/events/device/default/d1/twin/update', JSON.stringify({ event_id: 'begin', twin: { p0: { actual: { value: '0' } } } }));
      return !(await client.next(({ payload: text }) => text.includes('begin'), from)).payload.includes('404');
    },
    60_000,
    () => 'the device did not come to the node',
  );
  const registration = { withData: true, mapper: { name: 'm', version: 'v1', apiVersion: 'v1.0.0', protocol: PROTOCOL, address: Buffer.from(join(scene.folder, 'mapper.sock')), state: 'ok' } };
  await mapper.call('MapperRegister', registration);
  await isWell('the start');
  const before = residentMiB(pid);

  for (const [where, what] of fc.sample(fc.tuple(topic, payload), { numRuns: 3000, seed: SEED })) {
    if (!/[+#\0]/.test(where) && where !== '') await client.publish(where, what, 0);
  }
  await isWell('random topics and payloads');
  for (const bytes of [64 * 1024, 1024 * 1024]) {
    await client.publish('$hw/events/device/default/d1/twin/update', Buffer.alloc(bytes, '['), 1);
    await client.publish('$hw/events/device/default/d1/twin/update', JSON.stringify({ twin: Object.fromEntries(Array.from({ length: bytes / 64 }, (_, index) => [`key-${index}`, { actual: { value: 'v'.repeat(20) } }])) }), 1);
  }
  await isWell('huge payloads');
  for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 400 }), { numRuns: 200, seed: SEED })) await pour(scene.mqttPort, Buffer.from(bytes));
  for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 400 }), { numRuns: 200, seed: SEED })) await pour(edgeSocket, Buffer.from(bytes));
  await isWell('garbage on both sockets');
  await callRaw(edgeSocket, fc.sample(fc.uint8Array({ maxLength: 300 }), { numRuns: 300, seed: SEED }).map((bytes) => Buffer.from(bytes)));
  await callRaw(edgeSocket, [Buffer.alloc(6 * 1024 * 1024, 10), Buffer.alloc(0)]);
  for (const request of [{}, { mapper: { ...registration.mapper, protocol: '' }, withData: true }, { deviceName: 'd2', deviceNamespace: 'default' }, { deviceName: 'd2', deviceNamespace: 'default', reportedDevice: { twins: [{}], reportToCloud: false, reportCycle: 0 } }, { deviceName: '../..', deviceNamespace: '', state: '\u0000' }]) {
    for (const method of ['MapperRegister', 'ReportDeviceStatus', 'ReportDeviceStates'] as const) await mapper.call(method, request).catch(() => undefined);
  }
  await mapper.call('MapperRegister', registration);
  await isWell('random calls of a mapper');
  await eventually(() => residentMiB(pid) < before + MEMORY_MIB, 180_000, () => `memory went from ${Math.round(before)} to ${Math.round(residentMiB(pid))} MiB`);
});

/** Bytes that are no protocol at all, on a connection of their own. */
function pour(to: number | string, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to);
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.end(bytes);
    setTimeout(() => socket.destroy(), 20);
  });
}

/** Calls of each method whose messages are these bytes; whatever comes back is fine. */
async function callRaw(socket: string, messages: readonly Buffer[]): Promise<void> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost', 'grpc.max_send_message_length': -1 });
  const methods = ['MapperRegister', 'ReportDeviceStatus', 'ReportDeviceStates', 'NoSuchMethod'];
  try {
    for (const [index, message] of messages.entries()) {
      await new Promise<void>((resolve) => {
        client.makeUnaryRequest(`/v1beta1.DeviceManagerService/${methods[index % methods.length] ?? ''}`, (bytes: Buffer) => bytes, (bytes) => bytes, message, { deadline: Date.now() + 10_000 }, () => resolve());
      });
    }
  } finally {
    client.close();
  }
}
