import { createMessage, metaTable, type Message, type MetaRow } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually, object, openScene, push } from './scene.js';

const asTwin = (operation: string, resource: string, content?: unknown): Message => createMessage({ source: 'twin', group: 'meta', operation, resource, content });
const KEY = 'node/nodeID/namespace/devicemapper/modbus';
const MAPPER = { name: 'modbus', version: 'v1', api_version: 'v1.0.0', protocol: 'modbus', address: 'L3RtcC9tLnNvY2s=' };

it('[metamanager-10.1] gives the twin what is stored of devices, models and mappers, without the cloud and without broken rows', async () => {
  const store = createMemoryStore();
  const meta = store.table<MetaRow>(metaTable);
  await store.commit(() => {
    meta.put({ key: 'b/device/two', type: 'device', value: '{"metadata":{"name":"two"}}' });
    meta.put({ key: 'a/device/one', type: 'device', value: '{"metadata":{"name":"one"}}' });
    meta.put({ key: 'a/device/broken', type: 'device', value: '{"metadata"' });
    meta.put({ key: 'a/devicemodel/m', type: 'devicemodel', value: '{}' });
    meta.put({ key: KEY, type: 'devicemapper', value: JSON.stringify(MAPPER) });
  });
  await using scene = await openScene({ store, connected: true });
  const ask = async (type: string): Promise<unknown> => (await scene.running.bus.bus.request({ group: 'meta' }, asTwin('get', `stored/${type}`), { timeoutMs: 30_000 })).content;
  expect(await ask('device')).toEqual({
    items: [
      { key: 'a/device/one', value: { metadata: { name: 'one' } } },
      { key: 'b/device/two', value: { metadata: { name: 'two' } } },
    ],
  });
  expect(await ask('devicemodel')).toEqual({ items: [{ key: 'a/devicemodel/m', value: {} }] });
  expect(await ask('devicemapper')).toEqual({ items: [{ key: KEY, value: MAPPER }] });
  expect(scene.hub.received).toEqual([]);
  expect(scene.running.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});

it('[metamanager-10.2] keeps what a mapper said last, answers after the commit, and forgets it when told', async () => {
  const store = createMemoryStore();
  await using scene = await openScene({ store });
  const { bus } = scene.running.bus;
  const tell = (operation: string, content?: unknown): Promise<Message> => bus.request({ group: 'meta' }, asTwin(operation, KEY, content), { timeoutMs: 30_000 });
  expect(await tell('insert', MAPPER)).toMatchObject({ route: { operation: 'response' }, content: 'OK' });
  store.hold();
  let answered = false;
  const moved = tell('insert', { ...MAPPER, address: 'L3RtcC9uLnNvY2s=' }).finally(() => (answered = true));
  await eventually(() => scene.objects.value(KEY)?.includes('L3RtcC9uLnNvY2s=') ?? false);
  expect(answered).toBe(false);
  store.release();
  await moved;
  // As upstream writes it: members in the order of the Interface.
  expect(scene.objects.value(KEY)).toBe('{"name":"modbus","version":"v1","api_version":"v1.0.0","protocol":"modbus","address":"L3RtcC9uLnNvY2s="}');
  expect(store.table<MetaRow>(metaTable).get({ key: KEY })?.type).toBe('devicemapper');
  expect((await tell('insert', 'text')).content).toContain('content is no object');
  store.failNext(new Error('disk full'));
  expect(await tell('delete')).toMatchObject({ route: { operation: 'error' } });
  await tell('delete');
  expect(scene.objects.value(KEY)).toBeUndefined();
  expect(scene.hub.received).toEqual([]);
});

it('[metamanager-10.3] passes devices to the twin whoever sent them and however; the end of a gone namesake is passed to nobody', async () => {
  await using scene = await openScene({ twin: true });
  const steps = [
    push('insert', 'default/device/d', object('Device', 'd', 5), { source: 'devicecontroller' }),
    push('update', 'default/device/d', object('Device', 'd', 6)),
    push('update', 'default/device/d', object('Device', 'd', 4)),
    push('delete', 'default/device/d', { metadata: { name: 'd', namespace: 'default', uid: 'other' } }),
    push('insert', 'default/devicemodel/m', object('DeviceModel', 'm', 7), { source: 'devicecontroller' }),
    push('delete', 'default/device/d', { metadata: { name: 'd', namespace: 'default', uid: 'uid-d' } }),
  ];
  for (const step of steps) {
    await scene.fromCloud(step);
    await eventually(() => scene.acknowledged().includes(step.header.id));
  }
  expect(scene.twin?.received.map(({ header }) => header.id)).toEqual([0, 1, 4, 5].map((index) => steps[index]?.header.id));
  expect(scene.twin?.received.every(({ route }) => route.source === 'meta' && route.group === 'twin')).toBe(true);
  expect(scene.edged.received).toEqual([]);
});
