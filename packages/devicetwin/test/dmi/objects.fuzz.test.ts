import { createMessage, type Device, type DeviceModel } from '@edge/protocol';
import { Device as DmiDevice, DeviceModel as DmiDeviceModel } from '@edge/protocol/dmi';
import { collectingLogger, createTestBus } from '@edge/testing';
import { expect, it } from 'vitest';
import { Desiring } from '../../src/dmi/plan/desired.js';
import { StoredDeviceObjects } from '../../src/objects/stored-device-objects.js';
import { device, model } from './objects.js';

function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const JUNK: readonly unknown[] = [null, 0, -1, 1.5, 2 ** 60, 1e300, true, '', 'x', '\ud800', 'a/b', [], [null], [[]], {}, { value: 5 }, { name: null }, { configData: { a: { b: 1 } } }, '__proto__', { metadata: [] }];

/** The object with one member, somewhere, replaced by something else. */
function bent(object: unknown, random: () => number): unknown {
  const copy = structuredClone(object);
  let place = copy as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(place);
    const key = keys[Math.floor(random() * keys.length)] ?? 'more';
    const next = place[key];
    if (typeof next === 'object' && next !== null && random() < 0.8) place = next as Record<string, unknown>;
    else {
      place[key] = JUNK[Math.floor(random() * JUNK.length)];
      return copy;
    }
  }
}

const richDevice: Device = {
  ...device('thermo-1', '25', {
    methods: [{ name: 'm', description: 'd', propertyNames: ['temperature'] }],
    stateReport: { reportToCloud: true, reportCycle: 5 },
    properties: [
      {
        name: 'temperature',
        desired: { value: '25', metadata: { type: 'int' } },
        visitors: { protocolName: 'modbus', configData: { offset: 2 } },
        pushMethod: { http: { hostName: 'h', port: 1 }, mqtt: { qos: 1 }, dbMethod: { redis: { redisClientConfig: { db: 1 } }, influxdb2: { influxdb2DataConfig: { tag: { a: 'b' } } } }, anomalyDetection: { a: 1 } },
      },
    ],
  }),
  status: { reportToCloud: true, twins: [{ propertyName: 'p', reported: { value: '1' } }] },
};
const richModel: DeviceModel = model('thermo-model', { protocolConfigData: { a: 1 }, properties: [{ name: 'temperature', type: 'INT', visitors: { protocolName: 'p', configData: { offset: 1 } } }] });

it('[objects-1.11] 1,500 objects that are bent somewhere: each is set aside, or can be sent, or is said to be no object for a mapper', () => {
  const random = randoms(3);
  const log = collectingLogger();
  const objects = new StoredDeviceObjects({ bus: createTestBus().bus, log });
  let sent = 0;
  for (let i = 0; i < 1500; i += 1) {
    const isDevice = i % 3 > 0;
    const content = bent(isDevice ? richDevice : richModel, random);
    const resource = isDevice ? 'default/device/thermo-1' : 'default/devicemodel/thermo-model';
    objects.handle(createMessage({ source: 'meta', group: 'twin', operation: 'update', resource, content }));
    const { devices, models, blocked } = new Desiring(i % 2 === 0 ? 'refuse' : 'json').of(objects, 'modbus');
    for (const { message } of devices.values()) sent += DmiDevice.encode(message).finish().length > 0 ? 1 : 0;
    for (const { message } of models.values()) DmiDeviceModel.encode(message).finish();
    for (const { reason } of blocked.values()) expect(reason).not.toMatch(/undefined|Cannot|is not a function/);
  }
  expect(sent).toBeGreaterThan(1000);
  expect(log.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(100);
}, 60_000);
