import { createMessage, type Message } from '@edge/protocol';
import { createTestCa, type PlayedModule, type TestCa } from '@edge/testing';
import { beforeAll, expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { scene, type Scene, type SceneOptions } from './scene.js';

let ca: TestCa;
beforeAll(async () => {
  ca = await createTestCa();
});

const WAIT = { timeoutMs: 30_000 };
const report = (device: string, content: unknown = {}): Message =>
  createMessage({ source: 'twin', group: 'resource', operation: 'update', resource: `device/default/${device}/twin/edge_updated`, content });
const upload = (content: unknown): Message => createMessage({ source: 'bus', group: 'user', operation: 'upload', resource: 'default/sensors', content });
/** As CloudCore answers a report of a device. */
const answerTo = (message: Message): Message =>
  createMessage({ source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin', parentId: message.header.id, content: 'OK' });

interface Linked extends AsyncDisposable {
  readonly cloud: FakeCloud;
  readonly place: Scene;
  readonly bus: Awaited<ReturnType<Scene['run']>>['bus']['bus'];
}

/** A hub whose link is open, with a cloud that answers nothing by itself unless it `answers`. */
async function linked({ answers = false, ...over }: Partial<SceneOptions> & { readonly answers?: boolean } = {}): Promise<Linked> {
  const cloud = await FakeCloud.start(ca);
  if (!answers) cloud.habits.answer = () => undefined;
  const place = await scene({ hubPort: cloud.hubPort, pair: { ca }, ...over });
  const running = await place.run();
  const close = async (): Promise<void> => {
    await running[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
    await cloud[Symbol.asyncDispose]();
  };
  await cloud.until(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), 'the link').catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { cloud, place, bus: running.bus.bus, [Symbol.asyncDispose]: close };
}

it('[edgehub-4.21] brings the answer to a report of a device to whoever waits, and a late one to group twin', async () => {
  const played: { twin?: PlayedModule } = {};
  await using hub = await linked({ neighbours: (bus) => void (played.twin = bus.play('twin', 'twin')) });
  const { cloud, bus } = hub;
  const asked = report('d1');
  const answer = bus.request({ group: 'hub' }, asked, WAIT);
  cloud.send(answerTo(await cloud.hear(({ header }) => header.id === asked.header.id)));
  expect((await answer).content).toBe('OK');
  const hasty = report('d2');
  await expect(bus.request({ group: 'hub' }, hasty, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'bus.timeout' });
  cloud.send(answerTo(await cloud.hear(({ header }) => header.id === hasty.header.id)));
  const late = await played.twin?.next(({ header }) => header.parentId === hasty.header.id);
  expect(late?.route).toMatchObject({ source: 'devicecontroller', group: 'twin' });
});

it('[edgehub-4.22] refuses a report of a device at once without a link, and when the link breaks before the answer', async () => {
  await using hub = await linked();
  const { cloud, bus } = hub;
  const asked = report('d1');
  const answer = bus.request({ group: 'hub' }, asked, WAIT);
  await cloud.hear(({ header }) => header.id === asked.header.id);
  cloud.socket.terminate();
  expect(await answer).toMatchObject({ route: { operation: 'error' }, content: 'connection lost between EdgeCore and CloudCore' });
  await cloud[Symbol.asyncDispose]();
  await expect.poll(async () => (await bus.request({ group: 'hub' }, report('d1'), WAIT)).route.operation, { timeout: 20_000 }).toBe('error');
  expect(hub.place.store.table({ name: 'edge_outbox', columns: { seq: 'integer', created: 'integer', frame: 'text' }, key: ['seq'] }).count()).toBe(0);
});

it('[edgehub-4.23] tells a sender that waits when its message is on the disk, with or without a link', async () => {
  await using place = await scene({ hubPort: 1, pair: { ca } });
  await using running = await place.run();
  const store = place.store as import('@edge/testing').MemoryStore;
  store.hold();
  let told = false;
  const answer = running.bus.bus.request({ group: 'hub' }, upload(1), WAIT).finally(() => (told = true));
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  expect(told).toBe(false);
  store.release();
  expect(await answer).toMatchObject({ route: { operation: 'response', source: 'websocket' }, content: 'OK' });
  store.failNext(new Error('disk full'));
  expect(await running.bus.bus.request({ group: 'hub' }, upload(2), WAIT)).toMatchObject({ route: { operation: 'error' }, content: 'not kept for the cloud: disk full' });
});

it('[edgehub-4.24] lets many reports of devices hold up neither questions nor states, and takes turns with events', async () => {
  await using hub = await linked({ answers: true, hub: { messageQPS: 20, messageBurst: 1 } });
  const { cloud, bus } = hub;
  for (let index = 0; index < 60; index += 1) await bus.send({ group: 'hub' }, report(`d${index}`));
  for (let index = 0; index < 10; index += 1) await bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: `default/event/e${index}`, content: {} }));
  await bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'patch', resource: 'default/podpatch/p', content: '{}' }));
  await bus.send({ group: 'hub' }, createMessage({ source: 'metamanager', group: 'meta', operation: 'query', resource: 'default/configmap/c' }));
  const placeOf = (what: string): number => cloud.heard.filter(({ route }) => route.operation !== 'keepalive').findLastIndex(({ route }) => route.resource.includes(what));
  await cloud.until(() => ['/event/e9', 'podpatch', 'configmap'].every((what) => placeOf(what) >= 0), 'all but devices', 30_000);
  expect(placeOf('configmap')).toBeLessThan(6);
  expect(placeOf('podpatch')).toBeLessThan(6);
  // An event for each report, at least.
  expect(placeOf('/event/e9')).toBeLessThan(30);
}, 60_000);

it('[edgehub-4.26] tells who waits that its answer has left, and forgets a call of a rule that nobody waits for any more', async () => {
  await using hub = await linked();
  const { cloud, bus } = hub;
  const call = (content: string): Message => createMessage({ source: 'servicebus', group: 'user', operation: 'upload', resource: 'http://cloud/echo', content });
  await bus.send({ group: 'hub' }, call('nobody waits'));
  const reply = createMessage({ ...call('').route, resource: '', parentId: 'c1', content: 'done' });
  expect(await bus.request({ group: 'hub' }, reply, WAIT)).toMatchObject({ route: { operation: 'response', source: 'websocket' }, content: 'OK' });
  const asked = call('somebody waits');
  const answer = bus.request({ group: 'hub' }, asked, WAIT);
  await cloud.hear(({ header }) => header.id === asked.header.id);
  expect(cloud.heard.filter(({ route }) => route.source === 'servicebus').map(({ content }) => content)).toEqual(['done', 'somebody waits']);
  cloud.socket.terminate();
  expect(await answer).toMatchObject({ route: { operation: 'error' } });
});
