import { createMessage, deviceAttrTable, type DeviceAttrRow, type Message } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { confirmationTable } from '../src/sync/confirmations.js';
import { comparable } from './support/payload-table.js';
import { deviceObject, eventually, openScene, settle, type Scene } from './support/scene.js';

const MEMBERSHIP = '$hw/events/node/edge-1/membership/updated';
const member = { id: 'default/dev1', name: 'dev1' };

/** What was said about membership, comparable. */
const said = (scene: Scene): string[] => scene.published.filter(({ topic }) => topic === MEMBERSHIP).map(({ payload }) => comparable(payload));
const others = (scene: Scene): { topic: string; payload: unknown }[] =>
  scene.published.filter(({ topic }) => topic !== MEMBERSHIP).map(({ topic, payload }) => ({ topic, payload: JSON.parse(comparable(payload)) as unknown }));
const added = (device: unknown): string => `{"event_id":"<uuid>","timestamp":"<time>","added_devices":[${JSON.stringify(device)}],"removed_devices":null}`;
const removed = (device: unknown): string => `{"event_id":"<uuid>","timestamp":"<time>","added_devices":null,"removed_devices":[${JSON.stringify(device)}]}`;
const cloudUpdated = (id: string, twin: unknown): Message =>
  createMessage({ source: 'devicecontroller', group: 'twin', operation: 'update', resource: `device/${id}/twin/cloud_updated`, content: { event_id: 'c1', timestamp: 1, twin } });

describe('membership by message', () => {
  it('[twin-2.1] adds a device: its row with empty texts, one notice', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [{ ...member, description: 'boiler' }] });
    await eventually(() => said(scene).length === 1);
    expect(scene.deviceRows()).toEqual([{ id: 'default/dev1', name: 'dev1', description: 'boiler', state: '', last_online: '' }]);
    expect(said(scene)).toEqual([added({ ...member, description: 'boiler' })]);
  });

  it('[twin-2.2] says nothing about a device that is there already', async () => {
    await using scene = await openScene();
    for (let round = 0; round < 3; round += 1) await scene.membership({ added: [member] });
    await scene.publish('$hw/events/device/default/dev1/twin/get', {});
    expect(scene.published.map(({ topic }) => topic)).toEqual([MEMBERSHIP, '$hw/events/device/default/dev1/twin/get/result']);
  });

  it('[twin-2.3] removes a device with all its rows, once', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [{ ...member, attributes: { fw: { value: '1' } } }] });
    await scene.publish('$hw/events/device/default/dev1/twin/update', { twin: { t: { actual: { value: '1' } } } });
    await eventually(() => scene.store.table(confirmationTable).count() === 1);
    await scene.membership({ removed: [member] });
    await scene.membership({ removed: [member] });
    await eventually(() => said(scene).length === 2);
    expect(said(scene)[1]).toBe(removed(member));
    expect([scene.deviceRows(), scene.twinRows(), scene.store.table<DeviceAttrRow>(deviceAttrTable).all(), scene.store.table(confirmationTable).all()]).toEqual([[], [], [], []]);
    expect(await scene.publish('$hw/events/device/default/dev1/twin/update', { twin: {} })).toBe('response');
    expect(said(scene)).toHaveLength(2);
  });

  it('[twin-2.4] makes the attributes those of the message, and tells clients', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [{ ...member, attributes: { fw: { value: '1.1', optional: true, metadata: { type: 'string' } }, old: { value: 'x' } } }] });
    await scene.membership({ added: [{ ...member, attributes: { fw: { value: '1.2' } } }] });
    await eventually(() => others(scene).length === 2);
    expect(others(scene)).toEqual([
      { topic: '$hw/events/device/default/dev1/updated', payload: { event_id: '', timestamp: '<time>', attributes: { fw: { value: '1.1', optional: true, metadata: { type: 'string' } }, old: { value: 'x' } } } },
      { topic: '$hw/events/device/default/dev1/updated', payload: { event_id: '', timestamp: '<time>', attributes: { fw: { value: '1.2' }, old: null } } },
    ]);
    expect(scene.store.table<DeviceAttrRow>(deviceAttrTable).all()).toEqual([
      { id: 1, deviceid: 'default/dev1', name: 'fw', description: '', value: '1.2', optional: 1, attr_type: 'string', metadata: '{}' },
    ]);
    await scene.publish('$hw/events/node/x/membership/get', { event_id: 'g' });
    expect(JSON.parse(scene.published.at(-1)?.payload ?? '')).toMatchObject({ devices: [{ id: 'default/dev1', attributes: { fw: { value: '1.2', optional: true, metadata: { type: 'string' } } } }] });
  });

  it('[twin-2.5] takes twins with versions, and knows that the cloud has them', async () => {
    await using scene = await openScene({ connected: true });
    const twin = { t: { expected: { value: '5' }, optional: false, metadata: { type: 'int' }, expected_version: { cloud: 3, edge: 0 } }, none: { expected: { value: '5' }, metadata: { type: 'int' } }, broken: null };
    await scene.membership({ added: [{ id: 'dev1', name: 'dev1', twin }] });
    await eventually(() => said(scene).length === 1);
    expect(scene.twinRows()).toMatchObject([{ deviceid: 'dev1', name: 't', expected: '5', expected_version: '{"cloud":3,"edge":0}', actual: '', actual_version: '', optional: 0, attr_type: 'int', metadata: '{}' }]);
    expect(others(scene).map(({ topic }) => topic)).toEqual(['$hw/events/device/dev1/twin/update/document', '$hw/events/device/dev1/twin/update/delta']);
    await settle();
    expect(scene.hub.received).toEqual([]);
  });

  it('[twin-2.6] cloud_updated: newer versions are taken, older ones answered with what the node has', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [{ id: 'dev1', name: 'dev1', twin: { t: { expected: { value: '5' }, metadata: { type: 'int' }, expected_version: { cloud: 3, edge: 0 } } } }] });
    await scene.fromCloud(cloudUpdated('dev1', { t: { expected: { value: '6' }, metadata: { type: 'int' }, expected_version: { cloud: 4, edge: 0 } } }));
    await scene.publish('$hw/events/device/dev1/twin/get', {});
    expect(scene.twinRows()).toMatchObject([{ expected: '6', expected_version: '{"cloud":4,"edge":0}' }]);
    expect(scene.reported('dev1')).toEqual([]);
    await scene.publish('$hw/events/device/dev1/twin/update', { twin: { t: { expected: { value: '7' } } } });
    await eventually(() => scene.reported('dev1').length > 0);
    const known = scene.reported('dev1').length;
    await scene.fromCloud(cloudUpdated('dev1', { t: { expected: { value: '8' }, metadata: { type: 'int' }, expected_version: { cloud: 5, edge: 0 } } }));
    await eventually(() => scene.reported('dev1').length > known);
    expect(scene.reported('dev1').at(-1)).toMatchObject({ t: { expected: { value: '7' }, expected_version: { cloud: 4, edge: 1 } } });
    expect(scene.twinRows()).toMatchObject([{ expected: '7' }]);
    await scene.fromCloud(cloudUpdated('dev1', { t: { expected: { value: '7' }, metadata: { type: 'deleted' }, expected_version: { cloud: 6, edge: 1 } } }));
    await eventually(() => scene.twinRows()[0]?.attr_type === 'deleted');
    expect(scene.twinRows()).toMatchObject([{ expected: '', expected_meta: '', expected_version: '{"cloud":6,"edge":1}', attr_type: 'deleted' }]);
  });

  it('[twin-2.7] a device that cannot be read spoils no other, and a message that is none is set aside', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [{ id: 'a/b/c' }, { id: 5 }, { id: 'x/+' }, 'no', { id: 'ok/dev', twin: { t: { actual: 1 } } }, member] });
    await scene.membership({ added: 'all' as unknown as [] });
    await scene.publish('$hw/events/node/x/membership/get', {});
    expect(scene.deviceRows().map(({ id }) => id)).toEqual(['default/dev1']);
    expect(scene.running.lines.filter(({ message }) => message.includes('cannot be read; left out'))).toHaveLength(5);
    expect(scene.running.letters).toHaveLength(1);
  });

  it('[twin-2.8] a full list removes what it lacks', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [member, { id: 'default/dev2', name: 'dev2' }] });
    await scene.fromCloud(createMessage({ source: 'devicecontroller', group: 'twin', operation: 'update', resource: 'membership/detail', content: { devices: [{ id: 'default/dev2' }, { id: 'default/dev3' }] } }));
    await eventually(() => said(scene).length === 4);
    expect(scene.deviceRows().map(({ id }) => id)).toEqual(['default/dev2', 'default/dev3']);
    expect(said(scene)[3]).toBe(removed({ id: 'default/dev1' }));
  });
});

describe('upstream\'s integration suite for devices', () => {
  it('[twin-2.9] its payloads leave the rows that it looks for', async () => {
    await using scene = await openScene();
    const version = { cloud: 1, edge: 1 };
    const value = (text: string): unknown => ({ value: text, metadata: { timestamp: 1_700_000_000 } });
    const twin = (text: string, type: string): unknown => ({ expected: value(text), actual: value(text), optional: true, metadata: { type }, expected_version: version, actual_version: version });
    const put = (device: unknown): Promise<void> =>
      scene.fromCloud(createMessage({ source: 'edgemgr', group: 'twin', operation: 'update', resource: 'node/edge-1/membership', content: { event_id: '', timestamp: 0, added_devices: [device], removed_devices: null } }));
    const twins = (): string[] => scene.twinRows().map((row) => `${row.name} ${row.expected} ${row.attr_type}`);
    const attributes = (): string[] => scene.store.table<DeviceAttrRow>(deviceAttrTable).all().map((row) => `${row.name} ${row.value} ${row.attr_type}`);
    const steps: readonly [unknown, readonly string[], readonly string[]][] = [
      [{ id: 'dev-1', name: 'DeviceTW', state: 'unknown', twin: { Temperature: twin('25.25', 'float') } }, ['Temperature 25.25 float'], []],
      [{ id: 'dev-1', name: 'DeviceTW', state: 'unknown', twin: { Temperature: twin('50.50', 'float') } }, ['Temperature 50.50 float'], []],
      [
        { id: 'dev-1', name: 'DeviceTW', twin: { Temperature: twin('25.25', 'float'), Humidity: twin('100.100', 'float') }, attributes: { T: { value: '1', metadata: { type: 'Int' } } } },
        ['Temperature 25.25 float', 'Humidity 100.100 float'],
        ['T 1 Int'],
      ],
    ];
    for (const [device, wantedTwins, wantedAttributes] of steps) {
      await put(device);
      await scene.publish('$hw/events/node/x/membership/get', {});
      expect(twins()).toEqual(wantedTwins);
      expect(attributes()).toEqual(wantedAttributes);
    }
    for (const state of ['online', 'unknown', 'offline']) {
      await scene.publish('$hw/events/device/dev-1/state/update', { event_id: '', timestamp: 1, state });
      expect(scene.deviceRows()).toMatchObject([{ id: 'dev-1', state }]);
    }
  });
});

describe('membership by objects', () => {
  it('[twin-2.10] a device whose message was lost is added by its object, and goes with it', async () => {
    await using scene = await openScene();
    await scene.object('insert', deviceObject('dev1'));
    await eventually(() => said(scene).length === 1);
    await scene.object('delete', deviceObject('dev1'));
    await eventually(() => said(scene).length === 2);
    expect(said(scene)).toEqual([added(member), removed(member).replace(',"name":"dev1"', '')]);
  });

  it('[twin-2.11] message and object together are one change, in either order', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [member] });
    await scene.object('insert', deviceObject('dev1'));
    await scene.object('update', deviceObject('dev1'));
    await scene.membership({ removed: [member] });
    await scene.object('delete', deviceObject('dev1'));
    await scene.object('insert', deviceObject('dev1', 'uid-2'));
    await scene.membership({ added: [member] });
    await scene.object('delete', deviceObject('dev1', 'uid-2'));
    await scene.membership({ removed: [member] });
    await scene.publish('$hw/events/node/x/membership/get', {});
    await eventually(() => said(scene).length === 4);
    await settle();
    expect(said(scene)).toHaveLength(4);
    expect(scene.deviceRows()).toEqual([]);
  });

  it('[twin-2.12] a device that the cloud has removed does not come back by a reconnect before its object goes', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [member] });
    await scene.object('insert', deviceObject('dev1'));
    await scene.membership({ removed: [member] });
    await eventually(() => said(scene).length === 2);
    scene.disconnect();
    scene.connect();
    await settle();
    expect(scene.deviceRows()).toEqual([]);
    expect(said(scene)).toHaveLength(2);
  });

  it('[twin-2.13] at the start devices are added by objects; those whose object is gone go, those that never had one stay', async () => {
    const store = createMemoryStore();
    {
      await using scene = await openScene({ store });
      await scene.membership({ added: [member, { id: 'old', name: 'old' }, { id: 'default/ghost', name: 'ghost' }] });
      await scene.object('insert', deviceObject('ghost'));
      await scene.publish('$hw/events/node/x/membership/get', {});
    }
    await using scene = await openScene({ store, objects: [deviceObject('dev1'), deviceObject('dev2')] });
    await eventually(() => said(scene).length === 2);
    expect(scene.deviceRows().map(({ id }) => id)).toEqual(['default/dev1', 'default/dev2', 'old']);
    await settle();
    expect(said(scene)).toHaveLength(2);
  });

  it('[twin-2.14] before the objects are known nothing goes', async () => {
    const store = createMemoryStore();
    {
      await using scene = await openScene({ store });
      await scene.membership({ added: [member] });
      await scene.object('insert', deviceObject('dev1'));
      await scene.publish('$hw/events/node/x/membership/get', {});
    }
    await using scene = await openScene({ store, meta: false, connected: true });
    scene.disconnect();
    scene.connect();
    await settle();
    expect(scene.deviceRows()).toHaveLength(1);
  });

  it('[twin-2.15] an object made anew while nobody looked is another device: the old one\'s twins go', async () => {
    const store = createMemoryStore();
    {
      await using scene = await openScene({ store });
      await scene.membership({ added: [member] });
      await scene.object('insert', deviceObject('dev1', 'uid-1'));
      await scene.publish('$hw/events/device/default/dev1/twin/update', { twin: { t: { actual: { value: '1' } } } });
    }
    await using scene = await openScene({ store, objects: [deviceObject('dev1', 'uid-2')] });
    await eventually(() => said(scene).length === 2);
    expect(scene.deviceRows()).toHaveLength(1);
    expect(scene.twinRows()).toEqual([]);
  });

  it('[twin-2.16] the old object\'s late deletion does not take a device that has just been added anew', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [member] });
    await scene.object('insert', deviceObject('dev1', 'uid-1'));
    await scene.membership({ removed: [member] });
    await scene.membership({ added: [member] });
    await scene.object('delete', deviceObject('dev1', 'uid-1'));
    await scene.object('insert', deviceObject('dev1', 'uid-2'));
    await eventually(() => said(scene).length === 3);
    await settle();
    expect(said(scene)).toHaveLength(3);
    expect(scene.deviceRows()).toHaveLength(1);
  });

  it('[twin-2.17] a device named without its namespace, as older clouds do, is that of its object', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [{ id: 'dev1', name: 'dev1' }] });
    await scene.object('insert', deviceObject('dev1'));
    await scene.publish('$hw/events/device/dev1/twin/update', { event_id: 'e', twin: { t: { actual: { value: '1' } } } });
    expect(scene.deviceRows().map(({ id }) => id)).toEqual(['dev1']);
    await scene.object('delete', deviceObject('dev1'));
    await eventually(() => scene.deviceRows().length === 0);
  });
});
