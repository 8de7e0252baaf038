import type { DraftObject, KubeObject } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { joinReady, openCloud } from './cloud-fixture.js';
import { API, device, devicesOf, model, modelsOf, settled, told } from './device-fixture.js';
import { readRecording, shapeOf } from './recorded.js';

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What differs by nature in the messages of the device controller. */
const shape = (message: Message): unknown => JSON.parse(JSON.stringify(shapeOf(message), (key, value: unknown) => (key === 'event_id' ? '<id>' : key === 'timestamp' ? '<time>' : value)));

describe('devices as recorded with CloudCore v1.23.1', () => {
  it.each([['05-device', 'edge-go'], ['16-dmi', 'edge-node']])('[minicloud-10.1] %s: the same messages to the node, in the same order, modulo ids and times', async (name, node) => {
    await using fixture = await openCloud({ firstReportBug: true });
    const client = await joinReady(fixture, node);
    const recording = readRecording(name);
    const contentOf = (resource: string): KubeObject => recording.find((r) => r.toEdge && r.message.route.resource === resource)!.message.content as KubeObject;
    const draftOf = (resource: string): DraftObject => {
      const applied = contentOf(resource).metadata.annotations?.[APPLIED] ?? '';
      const draft = JSON.parse(applied) as DraftObject;
      return { ...draft, metadata: { ...draft.metadata, annotations: { [APPLIED]: applied } } };
    };
    /** What somebody did with kubectl before CloudCore sent a message. */
    const prepare = async ({ route, content }: Message): Promise<void> => {
      if (route.resource === 'membership' && (content as { added_devices: unknown }).added_devices) {
        await modelsOf(fixture).create(draftOf('default/devicemodel/thermo-model'));
        await devicesOf(fixture).create(draftOf('default/device/thermo-1'));
      } else if (route.resource === 'membership') {
        await devicesOf(fixture).delete('thermo-1', 'default');
      } else if (route.operation === 'update') {
        await devicesOf(fixture).patch('thermo-1', 'default', { type: 'merge', body: { spec: (content as KubeObject)['spec'] } });
      }
    };
    const mine = (): Message[] => client.received.filter((m) => m.route.source === 'devicecontroller');
    let compared = 0;
    for (const { toEdge, message } of recording) {
      if (!toEdge && message.header.parentId === undefined) client.send({ ...message.route, content: message.content });
      if (!toEdge) continue;
      await prepare(message);
      await client.until(() => mine().length > compared);
      expect(shape(mine()[compared]!)).toEqual(shape(message));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(6);
    await settled(fixture, client);
    expect(mine()).toHaveLength(compared);
  });
});

describe('devices on their way to nodes', () => {
  it('[minicloud-10.2] the model goes with its first device and leaves with the last; only a changed spec is told', async () => {
    await using fixture = await openCloud({ resyncIntervalMs: 60_000 });
    const client = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    await devicesOf(fixture).create(device('a', 'e1'));
    await devicesOf(fixture).create(device('b', 'e1'));
    await devicesOf(fixture).create(device('unassigned', undefined));
    await client.waitForPush('insert', 'default/device/b');
    await settled(fixture, client);
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { metadata: { labels: { color: 'red' } } } });
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { spec: { properties: [{ name: 'temperature', desired: { value: '30' } }] } } });
    const changed = await client.waitForPush('update', 'default/device/a');
    expect(changed.content).toMatchObject({ kind: 'Device', apiVersion: API, metadata: { labels: { color: 'red' } }, spec: { properties: [{ name: 'temperature', desired: { value: '30' }, visitors: {} }] }, status: {} });
    await devicesOf(fixture).delete('a', 'default');
    await devicesOf(fixture).delete('b', 'default');
    await client.waitForPush('delete', 'default/device/b');
    // Membership is not acknowledged, so it may overtake objects that wait for the acknowledgement of those before.
    const isMembership = (line: string): boolean => line.startsWith('membership');
    expect(told(client).filter(isMembership)).toEqual(['membership +default/a -', 'membership +default/b -', 'membership + -default/a', 'membership + -default/b']);
    expect(told(client).filter((line) => !isMembership(line))).toEqual([
      'insert default/devicemodel/m devicecontroller', 'insert default/device/a devicecontroller', 'insert default/device/b devicecontroller',
      'update default/device/a devicecontroller',
      'delete default/device/a devicecontroller', 'delete default/devicemodel/m devicecontroller', 'delete default/device/b devicecontroller',
    ]);
  });

  it('[minicloud-10.3] a device that is moved leaves the one node and comes to the other', async () => {
    await using fixture = await openCloud();
    const [one, two] = [await joinReady(fixture, 'e1'), await joinReady(fixture, 'e2')];
    await modelsOf(fixture).create(model('m'));
    await devicesOf(fixture).create(device('a', 'e1'));
    await one.waitForPush('insert', 'default/device/a');
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { spec: { nodeName: 'e2' } } });
    await two.waitForPush('insert', 'default/device/a');
    await one.waitForPush('delete', 'default/device/a');
    expect(told(one)).toEqual(['membership +default/a -', 'insert default/devicemodel/m devicecontroller', 'insert default/device/a devicecontroller', 'membership + -default/a', 'delete default/devicemodel/m devicecontroller', 'delete default/device/a devicecontroller']);
    expect(told(two)).toEqual(['membership +default/a -', 'insert default/devicemodel/m devicecontroller', 'insert default/device/a devicecontroller']);
    expect((await two.waitForPush('insert', 'default/device/a')).content).toMatchObject({ spec: { nodeName: 'e2' } });
  });

  it('[minicloud-10.4] what a node missed comes when it is back, from the edge controller, as CloudCore repairs: ends first, models before devices', async () => {
    await using fixture = await openCloud();
    const first = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    await modelsOf(fixture).create(model('m2'));
    for (const name of ['kept', 'gone', 'moved']) await devicesOf(fixture).create(device(name, 'e1'));
    await first.waitForPush('insert', 'default/device/moved');
    await settled(fixture, first);
    first.close();
    await first.until(() => fixture.cloud.hub.sessions.length === 0);
    await devicesOf(fixture).delete('gone', 'default');
    await devicesOf(fixture).patch('moved', 'default', { type: 'merge', body: { spec: { nodeName: 'e2' } } });
    await devicesOf(fixture).patch('kept', 'default', { type: 'merge', body: { spec: { deviceModelRef: { name: 'm2' } } } });
    await devicesOf(fixture).create(device('another', 'e1', { deviceModelRef: { name: 'm2' } }));
    const second = await fixture.connect('e1');
    await second.waitForPush('update', 'default/device/another');
    await settled(fixture, second);
    const seen = told(second);
    expect([...seen].sort()).toEqual([
      'delete default/device/gone edgecontroller', 'delete default/device/moved edgecontroller', 'delete default/devicemodel/m edgecontroller',
      'update default/device/another edgecontroller', 'update default/device/kept edgecontroller', 'update default/devicemodel/m2 edgecontroller',
    ]);
    expect(seen.findIndex((line) => line.startsWith('update'))).toBe(3);
    expect(seen[3]).toBe('update default/devicemodel/m2 edgecontroller');
    expect((await second.waitForPush('update', 'default/device/another')).content).toMatchObject({ kind: 'Device', spec: { properties: [{}, { name: 'label', desired: { value: '' }, visitors: {} }] }, status: {} });
  });

  it('[minicloud-10.5] a cloud that starts again repeats nothing to a node that knows all; an agent that registers again gets its devices', async () => {
    await using fixture = await openCloud();
    const first = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    await devicesOf(fixture).create(device('a', 'e1'));
    await first.waitForPush('insert', 'default/device/a');
    await settled(fixture, first);
    await fixture.restart();
    const second = await fixture.connect('e1');
    await second.ask('query', 'null/node/e1');
    await settled(fixture, second);
    expect(told(second)).toEqual([]);
    await second.ask('insert', 'null/node/e1', { metadata: { name: 'e1' } });
    await second.waitForPush('update', 'default/device/a');
    expect(told(second)).toEqual(['update default/devicemodel/m edgecontroller', 'update default/device/a edgecontroller']);
  });

  it('[minicloud-10.6] a model that comes after its device is sent before it', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await devicesOf(fixture).create(device('a', 'e1'));
    await client.until(() => told(client).length === 1);
    await modelsOf(fixture).create(model('m'));
    await client.waitForPush('insert', 'default/device/a');
    expect(told(client)).toEqual(['membership +default/a -', 'insert default/devicemodel/m devicecontroller', 'insert default/device/a devicecontroller']);
  });

  it('[minicloud-10.7] a model that was taken back while a new device needed it comes again, and a node that was deleted gets its devices when it returns', async () => {
    await using fixture = await openCloud({ resyncIntervalMs: 100 });
    const client = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    await devicesOf(fixture).create(device('a', 'e1'));
    await client.waitForPush('insert', 'default/device/a');
    await settled(fixture, client);
    await Promise.all([devicesOf(fixture).delete('a', 'default'), devicesOf(fixture).create(device('b', 'e1'))]);
    const models = (): string[] => told(client).filter((line) => line.includes('devicemodel')).map((line) => line.split(' ')[0]!);
    await client.until(() => told(client).includes('insert default/device/b devicecontroller') && models().at(-1) === 'insert');
    await fixture.cloud.api.resource('v1', 'nodes').delete('e1');
    await client.until(() => client.closed !== undefined);
    const again = await joinReady(fixture, 'e1');
    await again.waitForPush('insert', 'default/device/b');
    expect(told(again)).toEqual(['insert default/devicemodel/m devicecontroller', 'insert default/device/b devicecontroller']);
  });
});

describe('comparison with the nodes', () => {
  it('[minicloud-10.10] brings changed labels and changed models to the node', async () => {
    await using fixture = await openCloud({ resyncIntervalMs: 100 });
    const client = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    await devicesOf(fixture).create(device('a', 'e1'));
    await client.waitForPush('insert', 'default/device/a');
    await settled(fixture, client);
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { metadata: { labels: { color: 'red' } } } });
    await modelsOf(fixture).patch('m', 'default', { type: 'merge', body: { spec: { properties: [{ name: 'temperature', type: 'FLOAT' }] } } });
    const changed = await client.waitForPush('update', 'default/device/a');
    expect(changed).toMatchObject({ route: { source: 'edgecontroller', group: 'resource' }, content: { metadata: { labels: { color: 'red' } }, status: {} } });
    const changedModel = await client.waitForPush('update', 'default/devicemodel/m');
    expect(changedModel).toMatchObject({ route: { source: 'edgecontroller' }, content: { kind: 'DeviceModel', spec: { properties: [{ type: 'FLOAT' }] } } });
  });

  it('[minicloud-10.11] keeps no record of devices of a node that has never been there', async () => {
    await using fixture = await openCloud();
    const records = (): number => fixture.cloud.api.store.list({ resource: 'reliablesyncs.kubeedge.io/objectsyncs' }).items.length;
    const client = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    await devicesOf(fixture).create(device('a', 'nowhere'));
    await client.until(() => records() === 2);
    await devicesOf(fixture).delete('a', 'default');
    await client.until(() => records() === 0);
  });
});
