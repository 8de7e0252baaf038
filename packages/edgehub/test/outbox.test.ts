import { createMessage, type Message } from '@edge/protocol';
import { createMemoryStore, createRelay, createTestCa, type RunningModule, type TestCa } from '@edge/testing';
import { beforeAll, expect, it } from 'vitest';
import { answeredTable, orderedTable } from '../src/outbox/rows.js';
import { FakeCloud } from './fake-cloud.js';
import { scene } from './scene.js';

let ca: TestCa;
beforeAll(async () => {
  ca = await createTestCa();
});

const patch = (pod: string, content: string): Message => createMessage({ source: 'edged', group: 'meta', operation: 'patch', resource: `default/podpatch/${pod}`, content });
const event = (key: string, content: unknown): Message => createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: `default/event/${key}`, content });
const send = (running: RunningModule, message: Message): Promise<void> => running.bus.bus.send({ group: 'hub' }, message);
const isPatch = ({ route }: Message): boolean => route.operation === 'patch';
const isEvent = ({ route }: Message): boolean => route.resource.startsWith('default/event/');

it('[edgehub-4.1] sends only the newest state of each key after an outage, and every event in order', async () => {
  const first = await FakeCloud.start(ca);
  const port = first.hubPort;
  await using place = await scene({ hubPort: port, pair: { ca } });
  await using running = await place.run();
  await first.until(() => first.sessions.length === 1, 'the link');
  await first[Symbol.asyncDispose]();
  for (let index = 0; index < 500; index += 1) {
    await send(running, patch(`p${index % 10}`, String(index)));
    await send(running, event(`e${index % 10}`, index));
  }
  await using cloud = await FakeCloud.start(ca, { hubPort: port });
  await cloud.until(() => cloud.heard.filter(isEvent).length >= 500, 'all events');
  await cloud.until(() => cloud.heard.filter(isPatch).length >= 10, 'the states');
  expect(cloud.heard.filter(isEvent).map(({ content }) => content)).toEqual(Array.from({ length: 500 }, (_, index) => index));
  expect(cloud.heard.filter(isPatch).map(({ content }) => content)).toEqual(Array.from({ length: 10 }, (_, index) => String(490 + index)));
  // States come before the backlog of events.
  expect(cloud.heard.findLastIndex(isPatch)).toBeLessThan(cloud.heard.findIndex(isEvent));
  await running.stop();
  expect(place.store.table(orderedTable).count()).toBe(0);
  expect(place.store.table(answeredTable).count()).toBe(0);
});

it('[edgehub-4.2] sends what was not answered again in the next session with the same id', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  cloud.habits.answer = () => undefined;
  const message = patch('p', '{"status":{}}');
  const gone = createMessage({ source: 'edged', group: 'meta', operation: 'delete', resource: 'default/pod/p', content: { preconditions: { uid: 'u' } } });
  await send(running, message);
  await send(running, gone);
  await cloud.hear(({ header }) => header.id === gone.header.id);
  cloud.socket.terminate();
  await cloud.until(() => cloud.heard.filter(({ header }) => header.id === gone.header.id).length === 2, 'the repetition');
  expect(cloud.heard.filter(({ header }) => header.id === message.header.id)).toEqual([message, message]);
});

it('[edgehub-4.3] replaces an unanswered state by a newer one and waits for the answer to the first', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  const answers: (() => void)[] = [];
  const healthy = cloud.habits.answer;
  cloud.habits.answer = (message) => {
    const answer = healthy(message);
    if (answer && isPatch(message)) answers.push(() => cloud.send(answer));
    return undefined;
  };
  await send(running, patch('p', '1'));
  await cloud.hear(({ content }) => content === '1');
  for (const value of ['2', '3', '4']) await send(running, patch('p', value));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(cloud.heard.filter(isPatch)).toHaveLength(1);
  answers[0]?.();
  await cloud.hear(({ content }) => content === '4');
  expect(cloud.heard.filter(isPatch).map(({ content }) => content)).toEqual(['1', '4']);
});

it('[edgehub-4.4] gives answers that nobody waits for to metamanager', async () => {
  await using cloud = await FakeCloud.start(ca);
  const meta: { played?: import('@edge/testing').PlayedModule } = {};
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca }, neighbours: (bus) => void (meta.played = bus.play('metamanager', 'meta')) });
  await using running = await place.run();
  const message = patch('p', '{}');
  await send(running, message);
  const answer = await meta.played?.next(({ header }) => header.parentId === message.header.id);
  expect(answer?.content).toEqual({ Object: { metadata: {} }, Err: null });
});

it('[edgehub-4.5] loses no event and keeps their order over 30 cuts', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using relay = await createRelay(cloud.hubPort);
  await using place = await scene({ hubPort: relay.port, pair: { ca } });
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  const total = 3000;
  const cuts = 30;
  for (let index = 0; index < total; index += 1) {
    await send(running, event(`e${index % 7}`, index));
    if (index % (total / cuts) === 50) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      relay.reset();
    }
  }
  const arrived = (): number[] => cloud.heard.filter(isEvent).map(({ content }) => content as number);
  await cloud.until(() => new Set(arrived()).size === total, 'all events', 60_000);
  const times = new Map<number, number>();
  const firsts: number[] = [];
  for (const number of arrived()) {
    if (!times.has(number)) firsts.push(number);
    times.set(number, (times.get(number) ?? 0) + 1);
  }
  expect(firsts).toEqual(Array.from({ length: total }, (_, index) => index));
  // A message is repeated once by a cut at most.
  expect(Math.max(...times.values())).toBeLessThanOrEqual(cloud.sessions.length);
}, 90_000);

it('[edgehub-4.6] throws the oldest events away when the outbox is full, never states, and says how many', async () => {
  await using place = await scene({ hubPort: 1, pair: { ca }, outbox: { maxBytes: 50_000 } });
  await using running = await place.run();
  await send(running, patch('p', 'state'));
  for (let index = 0; index < 300; index += 1) await send(running, event('e', { index, text: 'x'.repeat(200) }));
  await expect.poll(() => running.lines.filter(({ message }) => message.includes('thrown away')).length).toBeGreaterThan(0);
  await place.store.flush();
  const rows = place.store.table(orderedTable).all({}, { orderBy: ['seq'] });
  expect(rows.reduce((sum, { frame }) => sum + frame.length, 0)).toBeLessThanOrEqual(50_000);
  expect(rows.at(-1)?.seq).toBe(300);
  expect(place.store.table(answeredTable).count()).toBe(1);
});

it('[edgehub-4.7] continues with what an earlier run left, in pages, with little memory', async () => {
  const store = createMemoryStore();
  const table = store.table(orderedTable);
  await store.commit(() => {
    for (let seq = 1001; seq <= 6000; seq += 1) table.put({ seq, created: Date.now(), frame: `${JSON.stringify({ header: { msg_id: `m${seq}`, timestamp: 1 }, route: { resource: 'default/event/e' }, content: seq })}\n` });
    // A gap: those were thrown away.
    for (let seq = 1500; seq < 2500; seq += 1) table.remove({ seq });
  });
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca }, store });
  await using running = await place.run();
  await cloud.until(() => cloud.heard.filter(isEvent).length === 4000, 'all');
  expect(cloud.heard.filter(isEvent).map(({ content }) => content)).toEqual(Array.from({ length: 5000 }, (_, index) => 1001 + index).filter((seq) => seq < 1500 || seq >= 2500));
  await send(running, event('e', 'next'));
  await cloud.hear(({ content }) => content === 'next');
  await running.stop();
  expect(table.count()).toBe(0);
});

it('[edgehub-4.8] sends while the link is up what the disk does not take', async () => {
  const store = createMemoryStore();
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({
    hubPort: cloud.hubPort,
    pair: { ca },
    store: { table: (spec) => store.table(spec), flush: () => store.flush(), compact: () => store.compact(), commit: () => Promise.reject(new Error('disk full')) },
  });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), 'the link');
  await send(running, event('e', 'now or never'));
  await cloud.hear(({ content }) => content === 'now or never');
  expect(running.lines.find(({ level }) => level === 'error')?.message).toContain('takes no messages');
});
