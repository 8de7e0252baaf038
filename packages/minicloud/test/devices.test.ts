import type { DraftObject, KubeObject } from '@edge/kubeapi';
import type { DeviceStatus, Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { joinReady, openCloud, type CloudFixture } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';
import { readRecording, shapeOf } from './recorded.js';

const API = 'devices.kubeedge.io/v1beta1';
const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const devicesOf = ({ cloud }: CloudFixture): ReturnType<typeof cloud.api.resource<KubeObject & { spec: Record<string, unknown> }>> => cloud.api.resource(API, 'devices');
const modelsOf = ({ cloud }: CloudFixture): ReturnType<typeof cloud.api.resource<KubeObject & { spec: Record<string, unknown> }>> => cloud.api.resource(API, 'devicemodels');
const statusOf = ({ cloud }: CloudFixture, name: string): (KubeObject & DeviceStatus) | undefined => cloud.api.resource<KubeObject & DeviceStatus>(API, 'devicestatuses').find(name, 'default');

const model = (name: string): DraftObject => ({ metadata: { name, namespace: 'default' }, spec: { protocol: 'modbus', properties: [{ name: 'temperature', type: 'INT', accessMode: 'ReadWrite' }, { name: 'label', type: 'STRING' }] } } as DraftObject);
const device = (name: string, nodeName: string | undefined, more: object = {}): DraftObject => ({
  metadata: { name, namespace: 'default' },
  spec: { ...(nodeName ? { nodeName } : {}), deviceModelRef: { name: 'm' }, properties: [{ name: 'temperature', desired: { value: '25' } }, { name: 'label' }], protocol: { protocolName: 'modbus' }, ...more },
} as DraftObject);

/** `<operation> <resource>` of everything about devices that a node was told, membership by what it says. */
function told(client: EdgeClient): string[] {
  return client.received.filter((m) => m.header.parentId === undefined && (m.route.resource === 'membership' || m.route.resource.includes('/device'))).map((m) => {
    if (m.route.resource !== 'membership') return `${m.route.operation} ${m.route.resource} ${m.route.source}`;
    const { added_devices: added, removed_devices: removed } = m.content as Record<string, { id: string }[] | null>;
    return `membership +${(added ?? []).map(({ id }) => id).join()} -${(removed ?? []).map(({ id }) => id).join()}`;
  });
}

const settled = async (fixture: CloudFixture, client: EdgeClient): Promise<void> =>
  client.until(() => fixture.cloud.hub.sessions.find((s) => s.node === client.node)?.unacknowledged === 0);

const twinMessage = (client: EdgeClient, name: string, twin: object): Message =>
  client.send({ source: 'twin', group: 'resource', operation: 'update', resource: `device/default/${name}/twin/edge_updated`, content: { event_id: 'e', timestamp: 1, twin } });
const actual = (value: string, type = 'int'): object => ({ actual: { value, metadata: { timestamp: 1760000000123 } }, optional: true, metadata: { type }, actual_version: { cloud: 0, edge: 1 } });
const answerTo = (client: EdgeClient, question: Message): Promise<Message> => client.waitFor((m) => m.header.parentId === question.header.id);

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

describe('reports of devices', () => {
  it('[minicloud-11.1] go into the DeviceStatus of the device and are answered once it is committed', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    const { metadata } = await devicesOf(fixture).create(device('a', 'e1'));
    await client.until(() => statusOf(fixture, 'a') !== undefined);
    expect(statusOf(fixture, 'a')).toMatchObject({
      kind: 'DeviceStatus', spec: {}, status: {},
      metadata: { ownerReferences: [{ apiVersion: API, kind: 'Device', name: 'a', uid: metadata.uid, controller: true, blockOwnerDeletion: true }] },
    });
    const question = twinMessage(client, 'a', { temperature: { ...actual('24'), expected: { value: '25', metadata: { timestamp: 1760000000124 } } }, foreign: actual('1'), gone: null });
    const answer = await answerTo(client, question);
    expect(answer).toMatchObject({ route: { source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin' }, content: 'OK' });
    expect(statusOf(fixture, 'a')?.status).toEqual({
      twins: [{ propertyName: 'temperature', reported: { value: '24', metadata: { timestamp: '1760000000123', type: 'int' } }, observedDesired: { value: '25', metadata: { timestamp: '1760000000124', type: 'int' } } }],
    });
    await answerTo(client, twinMessage(client, 'a', { label: actual('x', 'string') }));
    const state = (content: object): Message => client.send({ source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/a/state/update', content: JSON.stringify({ event_id: 'e', timestamp: 1, device: content }) });
    await answerTo(client, state({ name: 'a', state: 'online', lastOnlineTime: '2026-01-02T03:04:05Z' }));
    await answerTo(client, state({ name: 'a', state: 'offline' }));
    expect(statusOf(fixture, 'a')?.status).toMatchObject({
      state: 'offline', lastOnlineTime: '2026-01-02T03:04:05Z',
      twins: [{ propertyName: 'temperature', reported: { value: '24' } }, { propertyName: 'label', reported: { value: 'x' }, observedDesired: { value: '' } }],
    });
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { spec: { properties: [{ name: 'label' }] } } });
    await answerTo(client, twinMessage(client, 'a', { label: actual('y', 'string') }));
    expect(statusOf(fixture, 'a')?.status?.twins).toEqual([{ propertyName: 'label', reported: { value: 'y', metadata: { timestamp: '1760000000123', type: 'string' } }, observedDesired: { value: '' } }]);
  });

  it('[minicloud-11.2] about unknown devices, another node\'s device, or with nonsense get no answer and do no harm', async () => {
    await using fixture = await openCloud();
    const [client, other] = [await joinReady(fixture, 'e1'), await joinReady(fixture, 'e2')];
    await devicesOf(fixture).create(device('a', 'e1'));
    const unknown = twinMessage(client, 'none', { temperature: actual('1') });
    const foreign = twinMessage(other, 'a', { temperature: actual('666') });
    await other.ask('query', 'null/node/e2');
    for (const resource of ['device', 'device/default/a', 'device/default/a/twin', 'device/default/a/twin/edge_updated', 'device/default/a/state/update', 'membership/detail', 'x/default/a/state/update']) {
      for (const content of [null, 7, 'text', [], { twin: 5 }, { twin: { temperature: 5 } }, { twin: { temperature: { actual: 'x' } } }, { twin: { temperature: { actual: { value: 5 } } } }, { device: null }]) {
        client.send({ source: 'twin', group: 'resource', operation: 'update', resource, content });
      }
    }
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('24') }));
    expect(statusOf(fixture, 'a')?.status).toMatchObject({ twins: [{ reported: { value: '24' } }] });
    expect(statusOf(fixture, 'a')?.status?.twins).toHaveLength(1);
    for (const [from, { header }] of [[client, unknown], [other, foreign]] as const) expect(from.received.filter((m) => m.header.parentId === header.id)).toEqual([]);
    await using lenient = await openCloud({ authorizeNodes: false });
    const stranger = await joinReady(lenient, 'e2');
    await devicesOf(lenient).create(device('a', 'e1'));
    await answerTo(stranger, twinMessage(stranger, 'a', { temperature: actual('1') }));
  });

  it('[minicloud-11.3] keep their order and share writes when they come quickly', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await devicesOf(fixture).create(device('a', 'e1'));
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('first') }));
    const before = Number(statusOf(fixture, 'a')!.metadata.generation);
    const questions = Array.from({ length: 500 }, (_, index) => twinMessage(client, 'a', { [index % 2 ? 'label' : 'temperature']: actual(String(index)) }));
    await client.until(() => questions.every((q) => client.received.some((m) => m.header.parentId === q.header.id)), 20_000);
    expect(statusOf(fixture, 'a')?.status?.twins).toMatchObject([{ propertyName: 'temperature', reported: { value: '498' } }, { propertyName: 'label', reported: { value: '499' } }]);
    expect(Number(statusOf(fixture, 'a')!.metadata.generation) - before).toBeLessThan(400);
  });

  it('[minicloud-11.5] of 200 devices with 5 properties are all taken, however quickly they come', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    const names = Array.from({ length: 200 }, (_, index) => `d${index}`);
    const properties = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(names.map((name) => devicesOf(fixture).create(device(name, 'e1', { deviceModelRef: {}, properties: properties.map((property) => ({ name: property })) }))));
    const open = new Set<string>();
    client.onMessage = ({ header }) => open.delete(header.parentId ?? '');
    for (const round of [1, 2]) {
      for (const property of properties) for (const name of names) open.add(twinMessage(client, name, { [property]: actual(`${round}-${name}`) }).header.id);
    }
    await client.until(() => open.size === 0, 60_000);
    for (const name of names) expect(statusOf(fixture, name)?.status?.twins?.map((twin) => `${twin.propertyName}=${twin.reported?.value}`)).toEqual(properties.map((property) => `${property}=2-${name}`));
  }, 90_000);

  it('[minicloud-11.4] the status goes with the device, a new device of the name begins anew, a status that somebody deletes comes back', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await devicesOf(fixture).create(device('a', 'e1'));
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('24') }));
    await devicesOf(fixture).delete('a', 'default');
    const { metadata } = await devicesOf(fixture).create(device('a', 'e1'));
    await client.until(() => statusOf(fixture, 'a')?.metadata.ownerReferences?.[0]?.uid === metadata.uid);
    expect(statusOf(fixture, 'a')?.status).toEqual({});
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('25') }));
    await fixture.restart();
    expect(statusOf(fixture, 'a')?.status).toMatchObject({ twins: [{ reported: { value: '25' } }] });
    const before = statusOf(fixture, 'a')!.metadata.uid;
    await fixture.cloud.api.resource(API, 'devicestatuses').delete('a', 'default');
    await client.until(() => statusOf(fixture, 'a') !== undefined && statusOf(fixture, 'a')?.metadata.uid !== before);
    await devicesOf(fixture).delete('a', 'default');
    await client.until(() => statusOf(fixture, 'a') === undefined);
  });
});

describe('mistakes in devices', () => {
  it('[minicloud-12.1] are refused with the field when they can never work', async () => {
    await using fixture = await openCloud();
    const refusal = async (draft: DraftObject, of = devicesOf): Promise<string> => of(fixture).create(draft).then(() => 'taken', (error: Error) => error.message);
    expect(await refusal(device('a', 'e1', { properties: [{ name: 't' }, { name: 't' }] }))).toContain('spec.properties[1].name: "t" is there twice');
    expect(await refusal(device('a', 'e1', { properties: [{ name: 't', desired: { value: 5 } }] }))).toContain('spec.properties[0].desired.value: must be string, is number');
    expect(await refusal(device('a', 'e1', { properties: [{ name: 't', collectCycle: 'often' }] }))).toContain('spec.properties[0].collectCycle');
    expect(await refusal(device('No_Name', 'e1'))).toContain('metadata.name');
    expect(await refusal({ metadata: { name: 'm', namespace: 'default' }, spec: { properties: [{ name: 't', type: 'int' }] } } as DraftObject, modelsOf)).toContain('spec.properties[0].type: must be one of "INT"');
    expect(await refusal({ metadata: { name: 'bare', namespace: 'default' } })).toBe('taken');
  });

  it('[minicloud-12.2] are told by events, each once, when the rest may still come', async () => {
    await using fixture = await openCloud();
    await devicesOf(fixture).create(device('a', 'nowhere', { properties: [{ name: 'temperature' }, { name: 'pressure' }, { name: 'sp ace' }] }));
    const events = (): string[] => fixture.cloud.api.store.list({ resource: 'events' }).items.filter((e) => (e['involvedObject'] as { kind: string }).kind === 'Device').map((e) => `${String(e['type'])} ${String(e['reason'])}`).sort();
    const client = await joinReady(fixture, 'e1');
    await client.until(() => events().length === 3);
    expect(events()).toEqual(['Warning ModelNotFound', 'Warning NodeNotFound', 'Warning UnreportableProperty']);
    await modelsOf(fixture).create(model('m'));
    await client.until(() => events().length === 5);
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { metadata: { labels: { touched: 'yes' } } } });
    await devicesOf(fixture).create(device('b', 'e1', { deviceModelRef: {} }));
    await client.until(() => events().includes('Warning ModelMissing'));
    expect(events()).toEqual(['Warning ModelMissing', 'Warning ModelNotFound', 'Warning NodeNotFound', 'Warning UnknownProperty', 'Warning UnknownProperty', 'Warning UnreportableProperty']);
  });
});
