import { createMessage } from '@edge/protocol';
import { createMemoryStore, createRelay, eventually, startMosquitto } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { BROKERS, connected, heard, openClient, startScene } from './support/scene.js';

const UPLOAD = 'default/user/data';
const LONG = 90_000;

const numbers = (contents: readonly unknown[]): number[] => contents.map(Number);
const distinct = (values: readonly number[]): number[] => [...new Set(values)].sort((one, other) => one - other);

describe('a broker elsewhere', () => {
  it('[eventbus-5.1] may be down at boot: the module is ready, takes messages, and delivers them when it comes', async () => {
    await using broker = await startMosquitto({ stopped: true });
    await using scene = await startScene('mosquitto', { broker });
    const bus = scene.module.core.bus;
    const answer = await bus.request({ module: 'eventbus' }, createMessage({ source: 'router_eventbus', group: 'user', operation: 'subscribe', resource: 'default/early' }));
    expect(answer.content).toBe('OK');
    for (let number = 0; number < 50; number += 1) {
      await bus.send({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'results', content: String(number) }));
    }
    await heard(scene.module, 'the MQTT broker cannot be had, it is tried again until it can', 1);
    await broker.start();
    const client = await openClient(broker.port);
    try {
      await client.mqtt.subscribeAsync('results', { qos: 1 });
      await connected(scene.module);
      await client.publish('default/early', 'x');
      await scene.hub.next(({ route }) => route.resource === 'default/early', 20_000);
      await client.publish(UPLOAD, 'y');
      await scene.hub.next(({ route }) => route.resource === UPLOAD, 20_000);
      // Messages from before went when nobody had subscribed; what counts is that none blocks the next.
      await bus.send({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'results', content: 'last' }));
      await eventually(async () => (client.texts.includes('last') ? true : undefined), 'the last message');
    } finally {
      await client.close();
    }
  }, LONG);

  it.each(['kill', 'stop'] as const)('[eventbus-5.2] comes back after %s: subscriptions stand again, messages that waited arrive in order', async (how) => {
    await using broker = await startMosquitto({ persistent: true });
    await using scene = await startScene('mosquitto', { broker });
    await connected(scene.module);
    const bus = scene.module.core.bus;
    await bus.request({ module: 'eventbus' }, createMessage({ source: 'router_eventbus', group: 'user', operation: 'subscribe', resource: 'default/rule' }));
    const first = await openClient(broker.port, { clean: false, clientId: 'listener' });
    await first.mqtt.subscribeAsync('results', { qos: 1 });
    await first.publish('default/rule', 'before');
    await scene.hub.next(({ content }) => content === 'before', 20_000);
    await first.close();
    await broker[how]();
    await heard(scene.module, 'the connection to the MQTT broker has ended', 2);
    for (let number = 0; number < 100; number += 1) {
      await bus.send({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'results', content: String(number) }));
    }
    await bus.request({ module: 'eventbus' }, createMessage({ source: 'router_eventbus', group: 'user', operation: 'subscribe', resource: 'default/meanwhile' }));
    await broker.start();
    await connected(scene.module, 2);
    const client = await openClient(broker.port, { clean: false, clientId: 'listener' });
    try {
      await eventually(async () => (client.received.length >= 100 ? true : undefined), () => `100 results, there are ${client.received.length}`);
      expect(numbers(client.texts).slice(0, 100)).toEqual([...Array(100).keys()]);
      for (const topic of ['default/rule', 'default/meanwhile', UPLOAD]) {
        await client.publish(topic, `after ${topic}`);
        await scene.hub.next(({ content }) => content === `after ${topic}`, 20_000);
      }
    } finally {
      await client.close();
    }
  }, LONG);

  it('[eventbus-5.3] that stops without a word is noticed, and works again when it goes on', async () => {
    await using broker = await startMosquitto();
    await using scene = await startScene('mosquitto', { broker, own: { keepAliveSeconds: 1 } });
    await connected(scene.module);
    broker.freeze();
    await heard(scene.module, 'the connection to the MQTT broker has ended', 2);
    await scene.module.core.bus.send({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: UPLOAD, content: 'echo' }));
    broker.thaw();
    // The agent hears itself at a broker elsewhere, as upstream does: so this shows both directions at once.
    await scene.hub.next(({ content }) => content === 'echo', 20_000);
  }, LONG);

  it('[eventbus-5.4] keeps messages of QoS 1 for the agent while it is down', async () => {
    await using broker = await startMosquitto({ persistent: true });
    const store = createMemoryStore();
    {
      await using scene = await startScene('mosquitto', { broker, store });
      await connected(scene.module);
    }
    const client = await openClient(broker.port);
    for (let number = 0; number < 50; number += 1) await client.publish(UPLOAD, String(number));
    await client.close();
    await using scene = await startScene('mosquitto', { broker, store });
    await eventually(async () => (scene.hub.received.length >= 50 ? true : undefined), () => `50 uploads, there are ${scene.hub.received.length}`);
    expect(numbers(scene.hub.received.map(({ content }) => content))).toEqual([...Array(50).keys()]);
  }, LONG);

  it('[eventbus-5.5] drops the oldest messages when too many wait for it, and says how many', async () => {
    await using broker = await startMosquitto({ persistent: true });
    const before = await openClient(broker.port, { clean: false, clientId: 'listener' });
    await before.mqtt.subscribeAsync('results', { qos: 1 });
    await before.close();
    await broker.stop();
    await using scene = await startScene('mosquitto', { broker, own: { maxWaitingMessages: 10 } });
    for (let number = 0; number < 25; number += 1) {
      await scene.module.core.bus.send({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'results', content: String(number) }));
    }
    await heard(scene.module, 'the MQTT broker is away and too many messages wait for it, the oldest are dropped');
    await broker.start();
    const client = await openClient(broker.port, { clean: false, clientId: 'listener' });
    try {
      await eventually(async () => (client.texts.includes('24') ? true : undefined), 'the newest message');
      expect(numbers(client.texts)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    } finally {
      await client.close();
    }
  }, LONG);
});

describe.each(BROKERS)('on the %s broker', (kind) => {
  it('[eventbus-5.6] of 1,000 numbered messages of QoS 1 none is lost over restarts of the agent and of the broker', async () => {
    const got: number[] = [];
    const options = { hub: ({ content }: { content: unknown }) => (got.push(Number(content)), 'OK'), store: createMemoryStore() };
    await using broker = await startMosquitto({ persistent: true });
    let scene = await startScene(kind, { ...options, broker });
    if (kind === 'mosquitto') await connected(scene.module);
    const { port } = scene;
    let confirmed = 0;
    let number = 0;
    const publishing = (async () => {
      // Each number is sent until it is confirmed, as a device with QoS 1 does it.
      while (number < 1000) {
        const client = await openClient(port, { clientId: 'device', clean: false, connectTimeout: 2000 }).catch(() => undefined);
        if (client === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        const lost = new Promise<'lost'>((resolve) => client.mqtt.once('close', () => resolve('lost')));
        while (number < 1000) {
          const outcome = await Promise.race([client.publish(UPLOAD, String(number)).then(() => 'sent' as const, () => 'lost' as const), lost]);
          if (outcome === 'lost') break;
          number += 1;
          confirmed = number;
        }
        await client.close(true);
      }
    })();
    for (let round = 1; round <= 6; round += 1) {
      await eventually(async () => (confirmed >= round * 140 ? true : undefined), () => `${round * 140} confirmed, there are ${confirmed}`);
      if (kind === 'mosquitto' && round % 2 === 0) {
        await broker.kill();
        await broker.start();
      } else {
        await scene[Symbol.asyncDispose]();
        scene = await startScene(kind, { ...options, broker, port });
      }
    }
    await publishing;
    await eventually(async () => (distinct(got).length === 1000 ? true : undefined), () => `1000 numbers, there are ${distinct(got).length}`);
    expect(distinct(got)).toEqual([...Array(1000).keys()]);
    await scene[Symbol.asyncDispose]();
  }, LONG);
});

it('[eventbus-5.7] in mode 1 publishes to both brokers, hears both, and does not hear itself', async () => {
  await using scene = await startScene('both');
  const inner = await scene.client();
  const outer = await openClient(scene.mosquitto?.port ?? 0);
  try {
    for (const client of [inner, outer]) await client.mqtt.subscribeAsync('#', { qos: 1 });
    await inner.publish(UPLOAD, 'from the inner');
    await outer.publish(UPLOAD, 'from the outer');
    await scene.module.core.bus.send({ module: 'eventbus' }, createMessage({ source: 'router_eventbus', group: 'user', operation: 'publish', resource: UPLOAD, content: 'from the cloud' }));
    await eventually(async () => ([inner, outer].every(({ texts }) => texts.includes('from the cloud')) ? true : undefined), 'both clients hear the agent');
    await outer.publish(UPLOAD, 'the end');
    await scene.hub.next(({ content }) => content === 'the end', 20_000);
    expect(scene.hub.received.map(({ content }) => content).sort()).toEqual(['from the inner', 'from the outer', 'the end']);
    // What clients say at one broker is not repeated at the other.
    expect(inner.texts).toEqual(['from the inner', 'from the cloud']);
    expect(outer.texts).toEqual(['from the outer', 'from the cloud', 'the end']);
  } finally {
    await outer.close();
  }
}, LONG);

it('[eventbus-5.8] after many losses of the connection all topics still deliver, and nothing is left open', async () => {
  await using broker = await startMosquitto();
  await using relay = await createRelay(broker.port);
  await using scene = await startScene('mosquitto', { broker, config: { mqttServerExternal: `tcp://127.0.0.1:${relay.port}` } });
  await connected(scene.module);
  const open = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'TCPSocketWrap').length;
  const steady = open();
  const client = await openClient(broker.port);
  try {
    for (let round = 1; round <= 8; round += 1) {
      relay.reset();
      await connected(scene.module, round + 1);
    }
    for (const [number, topic] of ['default/user/a', 'SYS/dis/upload_records', '$hw/events/upload/b'].entries()) {
      await client.publish(topic, String(number));
      await scene.hub.next(({ route }) => route.resource === topic, 20_000);
    }
  } finally {
    await client.close();
  }
  await eventually(async () => (open() <= steady ? true : undefined), () => `${steady} timers and sockets, there are ${open()}`);
}, LONG);
