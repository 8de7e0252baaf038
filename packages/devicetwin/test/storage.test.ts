import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { deviceObject, eventually, openScene, settle, type Scene } from './support/scene.js';

const DEV = 'default/dev1';
const UPDATE = `$hw/events/device/${DEV}/twin/update`;
const results = (scene: Scene): { event_id: string; code?: number; reason?: string }[] =>
  scene.published.filter(({ topic }) => topic === `${UPDATE}/result`).map(({ payload }) => JSON.parse(payload) as { event_id: string; code?: number; reason?: string });
const update = (eventId: string, twin: unknown): unknown => ({ event_id: eventId, timestamp: 1, twin });
const actual = (value: string): unknown => ({ actual: { value } });

async function withDevice(scene: Scene): Promise<void> {
  await scene.membership({ added: [{ id: DEV, name: 'dev1' }] });
  await eventually(() => scene.deviceRows().length === 1);
  await settle();
}

describe('storing', () => {
  it('[twin-4.1] nothing is published, answered or told before it is on the disk', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store, connected: true });
    await withDevice(scene);
    const before = scene.published.length;
    store.hold();
    const answer = scene.publish(UPDATE, update('e1', { t: actual('1') }));
    const get = scene.publish(`$hw/events/device/${DEV}/twin/get`, { event_id: 'g' });
    await settle(50);
    expect(scene.published.length).toBe(before);
    expect(scene.hub.received).toEqual([]);
    store.release();
    expect(await Promise.all([answer, get])).toEqual(['response', 'response']);
    expect(scene.published.slice(before).map(({ topic }) => topic)).toEqual([`${UPDATE}/result`, `${UPDATE}/document`, `$hw/events/device/${DEV}/twin/get/result`]);
    await eventually(() => scene.reported(DEV).length > 0);
  });

  it('[twin-4.2] the next update is planned before the one before is on the disk; results come in order', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    await withDevice(scene);
    store.hold();
    const answers = Array.from({ length: 300 }, (_, index) => scene.publish(UPDATE, update(`e${index}`, { t: actual(String(index)) })));
    await settle();
    expect(scene.twinRows()).toMatchObject([{ actual: '299', actual_version: '{"cloud":0,"edge":300}' }]);
    store.release();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['response']));
    expect(results(scene).map(({ event_id }) => event_id)).toEqual(Array.from({ length: 300 }, (_, index) => `e${index}`));
  });

  it('[twin-4.3] a failed write is a 500 for the client and an error for who waits, and what stood before stands again', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    await withDevice(scene);
    await scene.publish(UPDATE, update('e1', { t: actual('1') }));
    store.failNext(new Error('disk full'));
    const failed = await Promise.all([scene.publish(UPDATE, update('e2', { t: actual('2'), u: actual('2') })), scene.publish(UPDATE, update('e3', { t: actual('3') }))]);
    expect(failed).toEqual(['error', 'error']);
    expect(results(scene).slice(1)).toMatchObject([
      { event_id: 'e2', code: 500, reason: 'device default/dev1 could not be stored: disk full' },
      { event_id: 'e3', code: 500 },
    ]);
    expect(scene.twinRows()).toMatchObject([{ name: 't', actual: '1' }]);
    await scene.publish(`$hw/events/device/${DEV}/twin/get`, { event_id: 'g' });
    expect(JSON.parse(scene.published.at(-1)?.payload ?? '')).toMatchObject({ twin: { t: { actual: { value: '1' } } } });
    expect(await scene.publish(UPDATE, update('e4', { t: actual('4'), u: actual('4') }))).toBe('response');
    expect(scene.twinRows()).toMatchObject([{ name: 't', actual: '4', actual_version: '{"cloud":0,"edge":2}' }, { name: 'u', actual: '4', actual_version: '{"cloud":0,"edge":1}' }]);
    expect(scene.running.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('[twin-4.4] a device whose row could not be written is not there, and comes with its object after the next connect', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    await settle();
    store.failNext(new Error('disk full'));
    await scene.object('insert', deviceObject('dev1'));
    await eventually(() => scene.running.lines.some(({ message }) => message.includes('could not be brought in line')));
    expect(await scene.publish(UPDATE, update('e1', {}))).toBe('response');
    expect(results(scene)).toMatchObject([{ code: 404 }]);
    expect(scene.published).toHaveLength(1);
    scene.connect();
    await eventually(() => scene.deviceRows().length === 1);
    expect(await scene.publish(UPDATE, update('e2', { t: actual('1') }))).toBe('response');
    expect(scene.twinRows()).toMatchObject([{ deviceid: DEV, actual: '1' }]);
  });

  it.each([
    ['an object that went', (scene: Scene) => scene.object('delete', deviceObject('dev1'))],
    ['a message', (scene: Scene) => scene.membership({ removed: [{ id: DEV, name: 'dev1' }] })],
  ])('[twin-4.6] a device whose removal by %s could not be written is there, and goes with its object after the next connect', async (_, remove) => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    await scene.object('insert', deviceObject('dev1'));
    await eventually(() => scene.deviceRows().length === 1);
    await settle();
    store.failNext(new Error('disk full'));
    await remove(scene);
    await eventually(() => scene.running.lines.some(({ level }) => level === 'error'));
    expect(scene.deviceRows()).toHaveLength(1);
    await scene.object('delete', deviceObject('dev1'));
    scene.connect();
    await eventually(() => scene.deviceRows().length === 0);
    await settle();
    scene.disconnect();
    scene.connect();
    await settle();
    expect(scene.deviceRows()).toEqual([]);
  });

  it('[twin-4.5] a power cut loses only what was not answered', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    await withDevice(scene);
    expect(await scene.publish(UPDATE, update('e1', { t: actual('1') }))).toBe('response');
    store.hold();
    const open = scene.publish(UPDATE, update('e2', { t: actual('2') }));
    await settle();
    store.cutPower();
    store.release();
    expect(await open).toBe('error');
    expect(scene.twinRows()).toMatchObject([{ actual: '1' }]);
  });
});

describe('settings and limits', () => {
  it('[twin-6.1] anyValue lets any characters through, up to 64 KiB', async () => {
    await using scene = await openScene({ settings: { anyValue: true } });
    await withDevice(scene);
    const value = '{"a b":"°C","x":"<&>"}';
    await scene.publish(UPDATE, update('e1', { t: actual(value) }));
    expect(scene.twinRows()).toMatchObject([{ actual: value }]);
    await scene.publish(UPDATE, update('e2', { t: actual('€'.repeat(22_000)) }));
    expect(JSON.parse(scene.published.at(-1)?.payload ?? '')).toMatchObject({ code: 400, reason: 'The value of twin must be at most 65536 bytes' });
  });

  it('[twin-6.2] what only the cloud may say is refused from clients, said once, and harms nothing', async () => {
    await using scene = await openScene();
    await withDevice(scene);
    const before = scene.published.length;
    for (let round = 0; round < 3; round += 1) {
      await scene.publish(`$hw/events/device/${DEV}/twin/cloud_updated`, { twin: { t: { expected: { value: 'x' }, metadata: { type: 'string' }, expected_version: { cloud: 9, edge: 9 } } } });
      await scene.publish('$hw/events/node/edge-1/membership/detail/result', { devices: [] });
      await scene.publish(`$hw/events/device/${DEV}/updated`, { attributes: { a: { value: '1' } } });
    }
    expect(scene.published.length).toBe(before);
    expect([scene.deviceRows().length, scene.twinRows().length]).toEqual([1, 0]);
    expect(scene.running.lines.filter(({ message }) => message.includes('only the cloud may say'))).toHaveLength(3);
  });

  it.each(['device/dev', 'events/device', 'hw/node', 'e/twin', 'twin/update', 'state/update'])('[twin-6.3] a device %s is found by its topic', async (id) => {
    await using scene = await openScene();
    await scene.membership({ added: [{ id, name: 'x' }] });
    await scene.publish(`$hw/events/device/${id}/twin/update`, update('e1', { t: actual('1') }));
    await scene.publish(`$hw/events/device/${id}/state/update`, { state: 'online' });
    expect(scene.twinRows()).toMatchObject([{ deviceid: id, actual: '1' }]);
    expect(scene.deviceRows()).toMatchObject([{ id, state: 'online' }]);
  });

  it('[twin-6.4] without an event bus reports are stored and told all the same', async () => {
    await using scene = await openScene({ connected: true, eventBus: false });
    await withDevice(scene);
    expect(await scene.publish(UPDATE, update('e1', { t: actual('1') }))).toBe('response');
    await eventually(() => scene.reported(DEV).length > 0);
  });
});
