import { createMessage, topicResource } from '@edge/protocol';
import { eventually } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { BROKERS, said, startScene } from './support/scene.js';

const UPDATE = '$hw/events/device/default/dev1/twin/update';

const publication = (resource: string, content: unknown) => createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource, content });

describe.each(BROKERS)('on the %s broker', (kind) => {
  it.each([
    ['$hw/events/device/default/dev1/twin/update', 'twin'],
    ['$hw/events/device/default/dev1/twin/get', 'twin'],
    ['$hw/events/device/default/dev1/state/update', 'twin'],
    ['$hw/events/node/edge-1/membership/get', 'twin'],
    ['$hw/events/upload/a/b', 'hub'],
    ['SYS/dis/upload_records', 'hub'],
    ['default/user/alarm', 'hub'],
    ['default/user', 'hub'],
  ])('[eventbus-1.1] takes %s and passes it to group %s', async (topic, group) => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    await client.publish(topic, '{"a":1}');
    const message = await (group === 'twin' ? scene.twin : scene.hub).next(() => true, 20_000);
    const resource = group === 'twin' ? topicResource(topic) : topic;
    expect(said(message)).toBe(`bus/user ${group === 'twin' ? 'response' : 'upload'} ${resource} ${JSON.stringify('{"a":1}')}`);
    expect(message.header.parentId).toBeUndefined();
  });

  it('[eventbus-1.2] leaves other topics alone', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    const others = ['a/b', '$hw/events/device/default/dev1/twin/update/result', '$hw/events/device/dev1/twin/update', 'a/user2/x', 'user/x', '$x/user/y'];
    for (const topic of others) await client.publish(topic, 'x');
    await client.publish('default/user/end', 'end');
    await scene.hub.next(({ route }) => route.resource === 'default/user/end', 20_000);
    expect(scene.twin.received).toEqual([]);
    expect(scene.hub.received.map(({ route }) => route.resource)).toEqual(['default/user/end']);
  });

  it('[eventbus-1.3] refuses the notice that the cloud has changed a twin', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    await client.publish('$hw/events/device/default/dev1/twin/cloud_updated', '{}');
    await client.publish(UPDATE, '{}');
    await scene.twin.next(({ route }) => route.resource === topicResource(UPDATE), 20_000);
    expect(scene.twin.received).toHaveLength(1);
    expect(scene.module.lines.filter(({ level, message }) => level === 'warn' && message.includes('only the cloud says that'))).toHaveLength(1);
  });

  it('[eventbus-1.4] keeps the order of a topic, over all qualities of service that a client mixes', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    const sent: Promise<unknown>[] = [];
    for (let number = 0; number < 500; number += 1) sent.push(client.publish(UPDATE, String(number), number % 3 === 0 && kind === 'embedded' ? 0 : 1));
    await Promise.all(sent);
    await eventually(async () => (scene.twin.received.length === 500 ? true : undefined), () => `500 messages, there are ${scene.twin.received.length}`);
    expect(scene.twin.received.map(({ content }) => Number(content))).toEqual([...Array(500).keys()]);
  });

  it('[eventbus-1.5] passes text as text, and bytes that are no text to the cloud as base64', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    await client.publish('default/user/a', 'grüße 🌡 \u0000 "<>&');
    await client.publish('default/user/b', Buffer.from([0xff, 0, 0x80, 0x7f]));
    await client.publish('default/user/c', '');
    await eventually(async () => (scene.hub.received.length === 3 ? true : undefined), 'three uploads');
    expect(scene.hub.received.map(({ content }) => content)).toEqual(['grüße 🌡 \u0000 "<>&', '/wCAfw==', '']);
  });

  it('[eventbus-2.1] publishes what the twin and the rules of the cloud say, text as it is and bytes as they are', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    await client.mqtt.subscribeAsync(['$hw/events/device/+/+/twin/update/result', 'rule/topic'], { qos: 1 });
    const bus = scene.module.core.bus;
    await bus.send({ module: 'eventbus' }, publication('$hw/events/device/default/dev1/twin/update/result', '{"event_id":"e1"}'));
    await bus.send({ module: 'eventbus' }, publication('rule/topic', 'Hello World!'));
    await bus.send({ module: 'eventbus' }, publication('rule/topic', Buffer.from([1, 0xff])));
    const received = await client.until(3);
    expect(received.map(({ topic, payload, retain }) => [topic, payload.toString('latin1'), retain])).toEqual([
      ['$hw/events/device/default/dev1/twin/update/result', '{"event_id":"e1"}', false],
      ['rule/topic', 'Hello World!', false],
      ['rule/topic', '\u0001\u00ff', false],
    ]);
    expect(received.map(({ qos }) => qos)).toEqual(Array(3).fill(kind === 'embedded' ? 0 : 1));
  });

  it('[eventbus-2.2] speaks the legacy operations message and get_result', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    await client.mqtt.subscribeAsync(['legacy', '$hw/events/node/+/authInfo/get/result'], { qos: 1 });
    const bus = scene.module.core.bus;
    await bus.send({ module: 'eventbus' }, createMessage({ source: 'x', group: 'bus', operation: 'message', resource: '', content: { message: { topic: 'legacy', a: 1 } } }));
    await bus.send({ module: 'eventbus' }, createMessage({ source: 'x', group: 'bus', operation: 'get_result', resource: 'auth_info', content: { b: 2 } }));
    await bus.send({ module: 'eventbus' }, createMessage({ source: 'x', group: 'bus', operation: 'get_result', resource: 'other', content: 'not published' }));
    const received = await client.until(2);
    expect(received.map(({ topic, payload }) => `${topic} ${payload.toString()}`)).toEqual([
      'legacy {"topic":"legacy","a":1}',
      '$hw/events/node/edge-1/authInfo/get/result {"b":2}',
    ]);
  });

  it('[eventbus-2.3] sets aside what cannot be published, and goes on', async () => {
    await using scene = await startScene(kind);
    const client = await scene.client();
    await client.mqtt.subscribeAsync('good', { qos: 1 });
    const bus = scene.module.core.bus;
    for (const bad of [publication('a/+/b', 'x'), publication('', 'x'), publication('a', { an: 'object' }), publication('a', null)]) {
      await bus.send({ module: 'eventbus' }, bad);
    }
    const asked = await bus.request({ module: 'eventbus' }, publication('a/#', 'x'));
    expect(asked.route.operation).toBe('error');
    expect(asked.content).toContain('"a/#" cannot be published to');
    await bus.send({ module: 'eventbus' }, publication('good', 'yes'));
    await client.until(1);
    expect(scene.module.letters.map(({ error }) => (error as { code: string }).code)).toEqual(Array(4).fill('eventbus.malformed'));
  });

  it('[eventbus-3.1] subscribes for the cloud, keeps it in sub_topics, and stops at once when told', async () => {
    await using scene = await startScene(kind);
    const bus = scene.module.core.bus;
    const rule = (operation: string) => createMessage({ source: 'router_eventbus', group: 'user', operation, resource: 'default/test', content: null });
    const client = await scene.client();
    expect((await bus.request({ module: 'eventbus' }, rule('subscribe'))).content).toBe('OK');
    expect(scene.store.table({ name: 'sub_topics', columns: { topic: 'text' }, key: ['topic'] }).all()).toEqual([{ topic: 'default/test' }]);
    await eventually(async () => {
      await client.publish('default/test', 'one');
      return scene.hub.received.length > 0 ? true : undefined;
    }, 'the broker knows the subscription');
    await bus.request({ module: 'eventbus' }, rule('unsubscribe'));
    const before = scene.hub.received.length;
    await client.publish('default/test', 'two');
    await client.publish('default/user/end', 'end');
    await scene.hub.next(({ content }) => content === 'end', 20_000);
    expect(scene.hub.received.slice(before).map(({ content }) => content)).toEqual(['end']);
    expect(scene.store.table({ name: 'sub_topics', columns: { topic: 'text' }, key: ['topic'] }).all()).toEqual([]);
  });

  it('[eventbus-3.2] subscribes again to what is stored when it starts', async () => {
    await using scene = await startScene(kind);
    await scene.store.commit(() => scene.store.table({ name: 'sub_topics', columns: { topic: 'text' }, key: ['topic'] }).put({ topic: 'stored/+' }));
    await using again = await startScene(kind, { store: scene.store });
    const client = await again.client();
    await client.publish('stored/x', 'kept');
    expect(said(await again.hub.next(() => true, 20_000))).toBe('bus/user upload stored/x "kept"');
  });

  it('[eventbus-3.3] refuses a topic that nobody can subscribe to, in words', async () => {
    await using scene = await startScene(kind);
    const answer = await scene.module.core.bus.request({ module: 'eventbus' }, createMessage({ source: 'router_eventbus', group: 'user', operation: 'subscribe', resource: 'a/#/b' }));
    expect(answer.route.operation).toBe('error');
    expect(answer.content).toContain('"a/#/b" cannot be subscribed to');
  });

  it('[eventbus-4.1] tells the sender of QoS 1 and 2 that a message is taken only when the twin has it', async () => {
    let commit: (() => void) | undefined;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    await using scene = await startScene(kind, { twin: () => committed.then(() => 'OK') });
    const client = await scene.client();
    const done: string[] = [];
    const sent = [1, 2].map(async (qos) => {
      await client.publish(UPDATE, `q${qos}`, qos as 1 | 2);
      done.push(`q${qos}`);
    });
    await scene.twin.next(({ content }) => content === 'q1', 20_000);
    // At mosquitto the publisher's answer is the broker's business; what counts there is that the broker keeps the message.
    if (kind === 'embedded') expect(done).toEqual([]);
    commit?.();
    await Promise.all(sent);
    expect(done.sort()).toEqual(['q1', 'q2']);
  });

  it('[eventbus-4.2] sends messages on without waiting for the answers of those before', async () => {
    let release: (() => void) | undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    let seen = 0;
    await using scene = await startScene(kind);
    scene.twin[Symbol.dispose]();
    const bus = scene.module.bus;
    using twin = bus.play('twin2', 'twin', (message) => {
      seen += 1;
      void all.then(() => bus.bus.respond({ header: { id: `a${message.header.id}`, parentId: message.header.id, timestamp: 1 }, route: { ...message.route, operation: 'response' }, content: 'OK' }));
      return undefined;
    });
    const client = await scene.client();
    const sent = [...Array(15).keys()].map((number) => client.publish(UPDATE, String(number)));
    await eventually(async () => (seen === 15 ? true : undefined), () => `15 under way, ${seen} are`);
    release?.();
    await Promise.all(sent);
    expect(twin.received.map(({ content }) => Number(content))).toEqual([...Array(15).keys()]);
  });

  it('[eventbus-4.3] acknowledges and says so once when no twin runs here', async () => {
    await using scene = await startScene(kind);
    scene.twin[Symbol.dispose]();
    const client = await scene.client();
    await client.publish(UPDATE, 'a');
    await client.publish(UPDATE, 'b');
    await client.publish('default/user/x', 'end');
    await scene.hub.next(() => true, 20_000);
    await eventually(async () => (scene.module.lines.some(({ message }) => message.includes('does not run here')) ? true : undefined), 'a warning');
    expect(scene.module.lines.filter(({ message }) => message.includes('does not run here'))).toHaveLength(1);
  });

  it('[eventbus-4.4] a message that the twin could not store comes again, with all that came behind it, in order', async () => {
    let failing = 1;
    const taken: number[] = [];
    await using scene = await startScene(kind, { twin: undefined });
    scene.twin[Symbol.dispose]();
    const bus = scene.module.bus;
    using _twin = bus.play('twin2', 'twin', ({ header, route, content }) => {
      const number = Number(content);
      if (number === 3 && failing > 0) {
        failing -= 1;
        return { header: { id: 'e', parentId: header.id, timestamp: 1 }, route: { ...route, operation: 'error' }, content: 'the disk is full' };
      }
      taken.push(number);
      return 'OK';
    });
    const client = await scene.client({ clean: false, clientId: 'device', reconnectPeriod: 50 });
    await Promise.all([...Array(6).keys()].map((number) => client.publish(UPDATE, String(number))));
    await eventually(async () => (taken.lastIndexOf(5) > taken.lastIndexOf(3) && taken.includes(3) ? true : undefined), () => `all in order at the end; taken: ${taken.join(' ')}`);
    expect(taken.slice(taken.lastIndexOf(3))).toEqual([3, 4, 5]);
  }, 60_000);
});
