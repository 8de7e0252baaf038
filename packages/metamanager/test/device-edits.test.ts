import { createMessage, metaTable, metaV2Table, type Message, type MetaRow, type MetaV2Row } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import type { FeedContent } from '../src/feed/follower.js';
import { eventually, object, openScene, push, type Scene } from './scene.js';

const SHOWN = '/devices.kubeedge.io/v1beta1/devices/default/thermo';
const device = (version: number, desired: string, over: Record<string, unknown> = {}): ReturnType<typeof object> =>
  object('Device', 'thermo', version, { apiVersion: 'devices.kubeedge.io/v1beta1', spec: { nodeName: 'edge-node', properties: [{ name: 'temperature', desired: { value: desired } }] }, ...over });
const edit = (scene: Scene, content: unknown): Promise<Message> =>
  scene.running.bus.bus.request({ group: 'meta' }, createMessage({ source: 'metamanager', group: 'twin', operation: 'update', resource: 'default/device/updated', content }), { timeoutMs: 30_000 });
const follow = async (scene: Scene): Promise<FeedContent> =>
  (await scene.running.bus.bus.request({ group: 'meta' }, createMessage({ source: 'metaserver', group: 'meta', operation: 'get', resource: 'stored/objects' }), { timeoutMs: 30_000 })).content as FeedContent;
async function pushed(scene: Scene, message: Message): Promise<void> {
  await scene.fromCloud(message);
  await eventually(() => scene.acknowledged().includes(message.header.id));
}
const desiredOf = (it: unknown): unknown => (it as { spec?: { properties?: { desired?: { value?: unknown } }[] } } | undefined)?.spec?.properties?.[0]?.desired?.value;
const toldTwin = (scene: Scene): unknown[] => (scene.twin?.received ?? []).map(({ content }) => desiredOf(content));

it('[metamanager-14.1] a device that is changed on the node is stored under its own name, shown and passed to the twin; the cloud hears nothing', async () => {
  const store = createMemoryStore();
  await using scene = await openScene({ store, twin: true });
  await pushed(scene, push('insert', 'default/device/thermo', device(5, '20'), { source: 'devicecontroller' }));
  const server = scene.running.bus.play('metaserver', 'metaserver');
  const [before] = (await follow(scene)).items;
  const toCloud = scene.hub.received.length;
  store.hold();
  let isAnswered = false;
  const answer = edit(scene, device(5, '31')).finally(() => (isAnswered = true));
  await eventually(() => desiredOf(scene.objects.shown(SHOWN)) === '31');
  expect([isAnswered, toldTwin(scene)]).toEqual([false, ['20']]);
  store.release();
  expect(await answer).toMatchObject({ route: { operation: 'response' }, content: 'OK' });
  await eventually(() => toldTwin(scene).length === 2);
  expect(scene.twin?.received.at(-1)).toMatchObject({ route: { source: 'meta', group: 'twin', operation: 'update', resource: 'default/device/thermo' } });
  expect(toldTwin(scene)).toEqual(['20', '31']);
  const rows = store.table<MetaRow>(metaTable).all({ type: 'device' });
  expect(rows.map(({ key, value }) => [key, desiredOf(JSON.parse(value))])).toEqual([['default/device/thermo', '31']]);
  expect(store.table<MetaV2Row>(metaV2Table).get({ key: SHOWN })).toMatchObject({ resource_version: 5 });
  // The version is still the cloud's, so what is told has to say that the state is another one.
  await eventually(() => server.received.length > 0);
  const told = (server.received.at(-1)?.content as FeedContent).items[0];
  expect([desiredOf(told?.object), told?.object?.metadata.resourceVersion, told?.local === before?.local]).toEqual(['31', '5', false]);
  expect(scene.hub.received).toHaveLength(toCloud);
});

it('[metamanager-14.2] what the cloud only repeats leaves the change, what it changes goes over it; the twin always has what is stored', async () => {
  await using scene = await openScene({ twin: true });
  await pushed(scene, push('insert', 'default/device/thermo', device(5, '20'), { source: 'devicecontroller' }));
  await edit(scene, device(5, '31'));
  await pushed(scene, push('insert', 'default/device/thermo', device(5, '20'), { source: 'devicecontroller' }));
  // As when the local API follows devices.
  await pushed(scene, push('insert', 'default/devices/thermo', device(5, '20'), { source: 'dynamiccontroller' }));
  await eventually(() => toldTwin(scene).length === 3);
  expect([toldTwin(scene), desiredOf(scene.objects.shown(SHOWN))]).toEqual([['20', '31', '31'], '31']);
  await pushed(scene, push('update', 'default/device/thermo', device(6, '22'), { source: 'devicecontroller' }));
  await eventually(() => toldTwin(scene).length === 4);
  expect([toldTwin(scene).at(-1), desiredOf(scene.objects.shown(SHOWN)), desiredOf(scene.objects.object({ namespace: 'default', type: 'device', name: 'thermo' }))]).toEqual(['22', '22', '22']);
  // Of a state that is no more.
  expect(await edit(scene, device(5, '40'))).toMatchObject({ route: { operation: 'error' }, content: expect.stringContaining('has changed meanwhile') as unknown });
  expect(desiredOf(scene.objects.shown(SHOWN))).toBe('22');
});

it('[metamanager-14.3] a device that is not of the node, another one of its name, nonsense and a full disk change nothing', async () => {
  const store = createMemoryStore();
  await using scene = await openScene({ store, twin: true });
  expect((await edit(scene, device(5, '31'))).content).toContain('default/device/thermo is not on this node');
  await pushed(scene, push('insert', 'default/device/thermo', device(5, '20'), { source: 'devicecontroller' }));
  expect((await edit(scene, device(5, '31', { metadata: { uid: 'another' } }))).content).toContain('has changed meanwhile');
  for (const content of ['text', null, { metadata: { name: '', namespace: 'default' } }, { metadata: { name: 'thermo', namespace: 'other' } }]) expect((await edit(scene, content)).content).toContain('its content is no device');
  store.failNext(new Error('disk full'));
  expect(await edit(scene, device(5, '31'))).toMatchObject({ route: { operation: 'error' }, content: expect.stringContaining('disk full') as unknown });
  expect([toldTwin(scene), desiredOf(scene.objects.shown(SHOWN))]).toEqual([['20'], '20']);
});
