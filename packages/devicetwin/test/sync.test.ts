import { createErrorResponse, type Device, type Message } from '@edge/protocol';
import { createMemoryStore, type MemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { confirmationTable } from '../src/sync/confirmations.js';
import { cloudOk, deviceObject, eventually, openScene, settle, type Scene } from './support/scene.js';

const DEV = 'default/dev1';
const member = (id = DEV): { id: string; name: string } => ({ id, name: id.slice(id.indexOf('/') + 1) });
const actual = (value: string): unknown => ({ actual: { value } });

async function report(scene: Scene, twin: Record<string, unknown>, id = DEV): Promise<void> {
  expect(await scene.publish(`$hw/events/device/${id}/twin/update`, { event_id: 'e', timestamp: 1, twin })).toBe('response');
}

const values = (scene: Scene, id = DEV): string[] =>
  scene.reported(id).map((twin) => Object.entries(twin).map(([name, one]) => `${name}=${(one as { actual?: { value?: string } }).actual?.value ?? ''}`).sort().join(' '));

/** Everything is told and confirmed. */
async function quiet(scene: Scene, rows: number): Promise<void> {
  await eventually(() => scene.store.table(confirmationTable).count() === rows);
  await settle();
}

describe('what the cloud is told', () => {
  it('[twin-3.1] the changed sides with versions, type and time', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [member()] });
    await report(scene, { t: { expected: { value: '5' }, actual: { value: '4' }, metadata: { type: 'int' } } });
    await quiet(scene, 1);
    const time = (JSON.parse(scene.twinRows()[0]?.actual_meta ?? '') as { timestamp: number }).timestamp;
    const whole = {
      t: {
        expected: { value: '5', metadata: { timestamp: time } },
        actual: { value: '4', metadata: { timestamp: time } },
        optional: true,
        metadata: { type: 'int' },
        expected_version: { cloud: 0, edge: 1 },
        actual_version: { cloud: 0, edge: 1 },
      },
    };
    expect(JSON.stringify(scene.reported(DEV))).toBe(JSON.stringify([whole, whole]));
    const message = scene.hub.received[0] as Message;
    expect(message.route).toEqual({ source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/dev1/twin/edge_updated' });
    expect(Object.keys(message.content as object)).toEqual(['event_id', 'timestamp', 'twin']);
    await report(scene, { t: { actual: { value: '6' } } });
    await eventually(() => scene.reported(DEV).length === 3);
    expect(Object.keys(scene.reported(DEV)[2]?.['t'] as object)).toEqual(['actual', 'optional', 'metadata', 'actual_version']);
  });

  it('[twin-3.2] the first report of a property goes twice, because clouds lose its value; later ones once', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [member()] });
    await report(scene, { t: actual('1') });
    await quiet(scene, 1);
    await report(scene, { t: actual('2') });
    await eventually(() => values(scene).length === 3);
    await report(scene, { t: actual('3'), u: actual('1') });
    await quiet(scene, 2);
    expect(values(scene)).toEqual(['t=1', 't=1', 't=2', 't=3 u=1', 'u=1']);
  });

  it('[twin-3.3] nothing while the link is down; then the newest of each property with its own time, oldest change first', async () => {
    await using scene = await openScene();
    const ids = ['default/a', 'default/b', 'default/c'];
    await scene.membership({ added: ids.map((id) => member(id)) });
    for (const id of ['default/c', 'default/a', 'default/b']) {
      await report(scene, { t: actual('1'), u: actual('x') }, id);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await report(scene, { t: actual('2') }, 'default/c');
    await settle();
    expect(scene.hub.received).toEqual([]);
    const times = (id: string): (number | undefined)[] =>
      Object.values(scene.reported(id)[0] ?? {}).map((one) => (one as { actual: { metadata: { timestamp: number } } }).actual.metadata.timestamp);
    scene.connect();
    await quiet(scene, 6);
    expect(scene.hub.received.slice(0, 3).map(({ route }) => route.resource.split('/')[2])).toEqual(['c', 'a', 'b']);
    expect(values(scene, 'default/c')[0]).toBe('t=2 u=x');
    const [t, u] = times('default/c');
    expect(t).toBeGreaterThan(u ?? 0);
  });

  it('[twin-3.4] changes made offline survive the end of the agent; what was confirmed is not sent again', async () => {
    const store = createMemoryStore();
    {
      await using scene = await openScene({ store, connected: true });
      await scene.membership({ added: [member()] });
      await report(scene, { known: actual('1') });
      await quiet(scene, 1);
      scene.disconnect();
      await report(scene, { news: actual('2') });
    }
    await using scene = await openScene({ store, connected: true });
    await quiet(scene, 2);
    expect(values(scene)).toEqual(['news=2', 'news=2']);
  });

  it('[twin-3.5] after a silence news goes at once, and an answer that comes late counts', async () => {
    const asked: Message[] = [];
    await using scene = await openScene({ connected: true, cloud: (message) => void asked.push(message) });
    await scene.membership({ added: [member()] });
    await report(scene, { t: actual('1') });
    await eventually(() => asked.length === 1);
    await report(scene, { t: actual('2') });
    await eventually(() => asked.length === 2);
    expect(values(scene)).toEqual(['t=1', 't=2']);
    await eventually(() => asked.length === 3);
    expect(values(scene)[2]).toBe('t=2');
    await scene.fromCloud(cloudOk(asked[1] as Message));
    await quiet(scene, 1);
    expect(scene.store.table(confirmationTable).all()).toEqual([{ deviceid: DEV, name: 't', expected: '', actual: '{"cloud":0,"edge":2}' }]);
  });

  it('[twin-3.6] one message a device at a time; a device that the cloud does not answer holds up no other', async () => {
    const open: Message[] = [];
    await using scene = await openScene({ connected: true, cloud: (message) => (message.route.resource.includes('/mute/') ? void open.push(message) : cloudOk(message)) });
    await scene.membership({ added: [member('default/mute'), member('default/loud')] });
    await report(scene, { t: actual('1') }, 'default/mute');
    for (let round = 0; round < 20; round += 1) {
      await report(scene, { t: actual(String(round)) }, 'default/mute');
      await report(scene, { t: actual(String(round)) }, 'default/loud');
    }
    await eventually(() => values(scene, 'default/loud').at(-1) === 't=19');
    await quiet(scene, 1);
    expect(open.length).toBeLessThan(20);
  });

  it('[twin-3.7] what was under way when the link broke goes again after the reconnect', async () => {
    let up = true;
    await using scene = await openScene({ connected: true, cloud: (message) => (up ? cloudOk(message) : createErrorResponse(message, 'connection lost')) });
    await scene.membership({ added: [member()] });
    await report(scene, { t: actual('1') });
    await quiet(scene, 1);
    up = false;
    await report(scene, { t: actual('2') });
    await eventually(() => values(scene).length === 3);
    scene.disconnect();
    up = true;
    scene.connect();
    await eventually(() => scene.store.table(confirmationTable).get({ deviceid: DEV, name: 't' })?.actual === '{"cloud":0,"edge":2}');
    expect(values(scene).at(-1)).toBe('t=2');
  });

  it('[twin-3.8] a value that stands already is neither stored nor sent; with skipUnchanged off it is both', async () => {
    for (const skipUnchanged of [true, false]) {
      await using scene = await openScene({ connected: true, settings: { skipUnchanged } });
      await scene.membership({ added: [member()] });
      await report(scene, { t: actual('1') });
      await quiet(scene, 1);
      const told = values(scene).length;
      await report(scene, { t: actual('1') });
      if (!skipUnchanged) await eventually(() => values(scene).length === told + 1);
      await settle();
      expect(values(scene)).toHaveLength(skipUnchanged ? told : told + 1);
      expect(scene.twinRows()[0]?.actual_version).toBe(`{"cloud":0,"edge":${skipUnchanged ? 1 : 2}}`);
      expect(scene.published.filter(({ topic }) => topic.endsWith('/twin/update/result'))).toHaveLength(2);
    }
  });

  it('[twin-3.9] a deleted property goes with its versions', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [member()] });
    await report(scene, { t: actual('1') });
    await quiet(scene, 1);
    await report(scene, { t: null });
    await eventually(() => scene.reported(DEV).length === 3);
    expect(scene.reported(DEV)[2]).toEqual({ t: { actual: {}, optional: true, metadata: { type: 'deleted' }, actual_version: { cloud: 0, edge: 2 } } });
    expect(scene.twinRows()).toMatchObject([{ actual: '', actual_meta: '', actual_version: '{"cloud":0,"edge":2}', attr_type: 'deleted' }]);
  });

  it('[twin-3.10] of a removed device nothing is told any more, and its namesake starts anew', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [member()] });
    await report(scene, { old: actual('1') });
    await scene.membership({ removed: [member()] });
    await scene.membership({ added: [member()] });
    await report(scene, { t: actual('2') });
    scene.connect();
    await quiet(scene, 1);
    expect(values(scene)).toEqual(['t=2', 't=2']);
  });
});

describe('a property that the Device does not have', () => {
  it('[twin-3.15] is told again when the Device gets it, because the cloud has passed over what it was told', async () => {
    await using scene = await openScene({ connected: true });
    const device = (...names: string[]): Device => ({ ...deviceObject('dev1'), spec: { nodeName: 'edge-1', properties: names.map((name) => ({ name })) } });
    await scene.membership({ added: [member()] });
    await scene.object('insert', device('t'));
    await report(scene, { t: actual('1'), later: actual('2') });
    await quiet(scene, 2);
    await scene.object('update', device('t', 'later'));
    await eventually(() => values(scene).length === 4);
    await quiet(scene, 2);
    expect(values(scene)).toEqual(['later=2 t=1', 'later=2 t=1', 'later=2', 'later=2']);
  });
});

describe('an outage', () => {
  it('[twin-3.14] 100 devices, 2,000 changes, three power cuts: both sides are equal after it', async () => {
    const store = createMemoryStore();
    const ids = Array.from({ length: 100 }, (_, index) => `ns/d${index}`);
    {
      await using scene = await openScene({ store });
      await scene.membership({ added: ids.map((id) => member(id)) });
    }
    for (let life = 0; life < 4; life += 1) {
      await using scene = await openScene({ store });
      const changes = ids.flatMap((id) => Array.from({ length: 5 }, (_, index) => ({ id, twin: { [`p${(index + life) % 10}`]: { expected: { value: `e${life}` }, actual: { value: `a${life}.${index}` } } } })));
      await Promise.all(changes.map(({ id, twin }) => report(scene, twin, id)));
      store.cutPower();
    }
    const cloud = new Map<string, { expected: string; actual: string }>();
    await using scene = await openScene({
      store,
      connected: true,
      cloud: (message) => {
        const [, ns, name] = message.route.resource.split('/');
        for (const [key, one] of Object.entries((message.content as { twin: Record<string, { expected: { value: string }; actual: { value: string } }> }).twin)) {
          cloud.set(`${ns}/${name} ${key}`, { expected: one.expected.value, actual: one.actual.value });
        }
        return cloudOk(message);
      },
    });
    const rows = scene.twinRows();
    expect(rows).toHaveLength(800);
    await quiet(scene, rows.length);
    expect(cloud.size).toBe(rows.length);
    for (const row of rows) expect(cloud.get(`${row.deviceid} ${row.name}`)).toEqual({ expected: row.expected, actual: row.actual });
    expect(scene.hub.received.length).toBeLessThan(800);
  });
});

describe('states', () => {
  const say = (scene: Scene, state: string): Promise<string> => scene.publish(`$hw/events/device/${DEV}/state/update`, { event_id: 'e', state });

  it('[twin-3.11] the cloud gets the very bytes that clients got, as a text', async () => {
    await using scene = await openScene({ connected: true });
    await scene.membership({ added: [member()] });
    await say(scene, 'online');
    await quiet(scene, 1);
    const published = scene.published.find(({ topic }) => topic.endsWith('/state/update/result'));
    expect(scene.hub.received.map(({ content }) => content)).toEqual([published?.payload]);
    expect(scene.hub.received[0]?.route).toEqual({ source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/dev1/state/update' });
  });

  it('[twin-3.12] the last state of an outage is told, with the last time online; repetition is not', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [member()] });
    for (const state of ['online', 'online', 'unhealthy', 'offline', 'offline']) await say(scene, state);
    const before = scene.deviceRows()[0];
    expect(before?.last_online).toMatch(/^\d{4}-/);
    scene.connect();
    await quiet(scene, 1);
    await say(scene, 'offline');
    await settle();
    expect(scene.states(DEV)).toEqual(['offline']);
    expect(scene.hub.received[0]?.content).toContain(`"lastOnlineTime":"${before?.last_online}"`);
    expect(scene.published.filter(({ topic }) => topic.endsWith('/state/update/result'))).toHaveLength(6);
  });
});

describe('a database of the Go agent', () => {
  it('[twin-3.13] what the cloud may not know is told once', async () => {
    const store: MemoryStore = createMemoryStore();
    {
      await using scene = await openScene({ store });
      await scene.membership({ added: [member()] });
      await report(scene, { t: actual('1'), empty: {} });
    }
    // As if the Go agent had gone on with the file, which knows nothing of our table.
    await using scene = await openScene({ store, connected: true });
    await quiet(scene, 1);
    expect(values(scene)).toEqual(['t=1', 't=1']);
  });
});
