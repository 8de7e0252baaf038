import { createMessage, createResponse, type Message } from '@edge/protocol';
import { createRelay, createTestCa, freePort, FULL_TESTS, type RunningModule, type TestCa } from '@edge/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { NODE, scene } from './scene.js';

/** Where everything runs beside this a machine is late. */
const LINK_MS = FULL_TESTS ? 10_000 : 20_000;

let ca: TestCa;
beforeAll(async () => {
  ca = await createTestCa();
});

const toHub = (parts: { operation: string; resource: string; content?: unknown; source?: string; group?: string; parentId?: string }): Message =>
  createMessage({ source: 'edged', group: 'meta', ...parts });

it('[edgehub-2.1] opens the link with upstream\'s address and headers and sends the keepalive first', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  await cloud.until(() => cloud.heard.length > 0, 'the keepalive');
  expect(cloud.sessions[0]?.url).toBe(`/e632aba927ea4ac2b575ec1603d56f10/${NODE}/events`);
  const { 'sec-websocket-key': key, ...headers } = cloud.sessions[0]?.headers ?? {};
  expect(key).toMatch(/^[\w+/]{22}==$/);
  expect(headers).toEqual({
    host: `127.0.0.1:${cloud.hubPort}`,
    'user-agent': 'Go-http-client/1.1',
    connection: 'Upgrade',
    connectionuse: 'msg',
    node_id: NODE,
    project_id: 'e632aba927ea4ac2b575ec1603d56f10',
    'sec-websocket-version': '13',
    upgrade: 'websocket',
  });
  expect(cloud.heard[0]).toMatchObject({ route: { source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }, content: 'ping' });
  expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

it('[edgehub-2.2] sends a keepalive every heartbeat', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca }, hub: { heartbeat: 0.1 } });
  await using running = await place.run();
  await cloud.until(() => cloud.heard.filter(({ route }) => route.operation === 'keepalive').length >= 4, 'four keepalives');
  expect(cloud.sessions).toHaveLength(1);
  await running.stop();
});

it('[edgehub-2.3] tells the groups that listen of the link\'s changes', async () => {
  await using cloud = await FakeCloud.start(ca);
  const played: { twin?: import('@edge/testing').PlayedModule; meta?: import('@edge/testing').PlayedModule } = {};
  await using place = await scene({
    hubPort: cloud.hubPort,
    pair: { ca },
    neighbours: (bus) => {
      played.twin = bus.play('twin', 'twin');
      played.meta = bus.play('metamanager', 'meta');
    },
  });
  await using running = await place.run();
  const up = await played.twin?.next(({ content }) => content === 'cloud_connected');
  expect(up?.route).toMatchObject({ source: 'edgehub', operation: 'connect', resource: 'node/connection' });
  await played.meta?.next(({ content }) => content === 'cloud_connected');
  cloud.socket.terminate();
  await played.twin?.next(({ content }) => content === 'cloud_disconnected');
  await cloud.until(() => cloud.sessions.length === 2, 'the second session');
  await running.stop();
});

it('[edgehub-2.4] relays a request and its answer, and passes acknowledgements', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  await linkUp(running, cloud);
  const question = toHub({ operation: 'query', resource: 'default/configmap/c' });
  const answer = await running.bus.bus.request({ group: 'hub' }, question);
  expect(answer.header.parentId).toBe(question.header.id);
  await running.bus.bus.send({ group: 'hub' }, createResponse(createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: 'default/pod/p', id: 'push-1' }), 'OK'));
  const ack = await cloud.hear(({ header }) => header.parentId === 'push-1');
  expect(ack).toMatchObject({ route: { source: 'edgecontroller', group: 'resource', operation: 'response', resource: 'default/pod/p' }, content: 'OK' });
});

it('[edgehub-2.5] answers at once with an error while the link is down, and what is under way when it breaks', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  await linkUp(running, cloud);
  cloud.habits.answer = () => undefined;
  const underWay = running.bus.bus.request({ group: 'hub' }, toHub({ operation: 'query', resource: 'default/secret/s' }));
  await cloud.hear(({ route }) => route.resource === 'default/secret/s');
  await cloud[Symbol.asyncDispose]();
  expect(await underWay).toMatchObject({ route: { operation: 'error' }, content: 'connection lost between EdgeCore and CloudCore' });
  const now = await running.bus.bus.request({ group: 'hub' }, toHub({ operation: 'query', resource: 'default/secret/t' }));
  expect(now).toMatchObject({ route: { operation: 'error' }, content: 'connection lost between EdgeCore and CloudCore' });
});

it('[edgehub-2.6] sets a frame that is no message aside and keeps the link', async () => {
  await using cloud = await FakeCloud.start(ca);
  const meta: { played?: import('@edge/testing').PlayedModule } = {};
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca }, neighbours: (bus) => void (meta.played = bus.play('metamanager', 'meta')) });
  await using running = await place.run();
  await linkUp(running, cloud);
  for (const frame of ['', 'not json', '[1]', '{"header":7}', '{"header":{"msg_id":{}}}', '{"route":{"group":[]}}', Buffer.from([0xff, 0xfe, 0x00])]) cloud.socket.send(frame);
  cloud.send(createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: 'default/pod/after' }));
  await meta.played?.next(({ route }) => route.resource === 'default/pod/after');
  expect(running.letters).toHaveLength(7);
  expect(cloud.sessions).toHaveLength(1);
});

it('[edgehub-2.7] ends the link with a clear reason when a frame is larger than 64 MiB, and opens it again', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  await linkUp(running, cloud);
  cloud.socket.send(Buffer.alloc(65 * 1024 * 1024, 0x20));
  await cloud.until(() => cloud.sessions.length === 2, 'the second session');
  expect(running.lines.find(({ message }) => message.includes('is lost'))?.fields['reason']).toMatch(/Max payload size exceeded/);
});

it('[edgehub-2.8] throttles what modules send, but neither keepalives nor acknowledgements nor leases', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca }, hub: { messageQPS: 10, messageBurst: 2 } });
  await using running = await place.run();
  await linkUp(running, cloud);
  const { bus } = running.bus;
  const startedAt = performance.now();
  for (let index = 0; index < 8; index += 1) await bus.send({ group: 'hub' }, toHub({ operation: 'query', resource: `default/configmap/c${index}` }));
  await bus.send({ group: 'hub' }, toHub({ operation: 'update', resource: `kube-node-lease/lease/${NODE}` }));
  await bus.send({ group: 'hub' }, toHub({ operation: 'response', resource: 'default/pod/p', parentId: 'push-2' }));
  await cloud.hear(({ header }) => header.parentId === 'push-2');
  await cloud.hear(({ route }) => route.resource.includes('/lease/'));
  expect(cloud.heard.some(({ route }) => route.resource === 'default/configmap/c7')).toBe(false);
  await cloud.hear(({ route }) => route.resource === 'default/configmap/c7');
  // 8 messages and a lease, 2 saved up, 10 a second.
  expect(performance.now() - startedAt).toBeGreaterThan(500);
});

// Side by side: they wait.
describe.concurrent('a path that breaks', () => {
  it('[edgehub-3.1] notices a line that swallows everything and has a new one within 30 s', async () => {
    await using cloud = await FakeCloud.start(ca);
    await using relay = await createRelay(cloud.hubPort);
    await using place = await scene({ hubPort: relay.port, pair: { ca } });
    await using running = await place.run();
    await linkUp(running, cloud);
    relay.set('stall');
    relay.set('open');
    await cloud.until(() => cloud.sessions.length === 2, 'a new session', 30_000);
    expect(running.lines.find(({ message }) => message.includes('is lost'))?.fields['by']).toBe('silence');
  }, 90_000);

  for (const mode of ['refuse', 'stall', 'garble', 'one-way'] as const) {
    it(`[edgehub-3.2] has the link again within ${LINK_MS / 1000} s of the path's return after "${mode}"`, async () => {
      await using cloud = await FakeCloud.start(ca);
      await using relay = await createRelay(cloud.hubPort);
      await using place = await scene({ hubPort: relay.port, pair: { ca } });
      await using running = await place.run();
      await linkUp(running, cloud);
      relay.set(mode);
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      const before = cloud.sessions.length;
      relay.set('open');
      await cloud.until(() => cloud.sessions.length > before || running.lines.at(-1)?.message === 'the link to the cloud is open', 'the link', LINK_MS);
      await running.bus.bus.request({ group: 'hub' }, toHub({ operation: 'query', resource: 'default/configmap/c' }), { timeoutMs: 20_000 });
    }, 90_000);
  }
});

it('[edgehub-3.3] dials again at once when the cloud went away and came back', async () => {
  const port = await freePort();
  const first = await FakeCloud.start(ca, { hubPort: port });
  await using place = await scene({ hubPort: port, pair: { ca } });
  await using running = await place.run();
  await linkUp(running, first);
  await first[Symbol.asyncDispose]();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await using second = await FakeCloud.start(ca, { hubPort: port });
  await second.until(() => second.sessions.length === 1, 'the new session');
  await running.stop();
});

it('[edgehub-3.4] says that two nodes have one name when the cloud keeps closing fresh links', async () => {
  await using cloud = await FakeCloud.start(ca);
  cloud.habits.onOpen = (socket) => setTimeout(() => socket.close(), 20);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message.includes('same node name "edge-1"')), 'the diagnosis', 20_000);
  expect(running.lines.filter(({ message }) => message.includes('same node name'))).toHaveLength(1);
});

async function linkUp(running: RunningModule, cloud: FakeCloud): Promise<void> {
  await cloud.until(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), 'the link');
}
