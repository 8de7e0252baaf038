import { connect } from 'node:net';
import { createMessage } from '@edge/protocol';
import { eventually } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { heard, startScene } from './support/scene.js';

describe('sessions', () => {
  it('[eventbus-6.1] delivers with the lower of both qualities of service, once for overlapping subscriptions', async () => {
    await using scene = await startScene('embedded');
    const [from, to] = [await scene.client(), await scene.client()];
    await to.mqtt.subscribeAsync({ 'q/0': { qos: 0 }, 'q/1': { qos: 1 }, 'q/2': { qos: 2 }, 'q/#': { qos: 1 } });
    for (const topic of ['q/0', 'q/1', 'q/2']) for (const qos of [0, 1, 2] as const) await from.publish(topic, String(qos), qos);
    await from.publish('q/end', 'end');
    await eventually(async () => (to.texts.includes('end') ? true : undefined), 'the end');
    expect(to.received.filter(({ topic }) => topic !== 'q/end').map(({ topic, payload, qos }) => `${topic} ${payload.toString()}→${qos}`)).toEqual([
      'q/0 0→0', 'q/0 1→1', 'q/0 2→1', 'q/1 0→0', 'q/1 1→1', 'q/1 2→1', 'q/2 0→0', 'q/2 1→1', 'q/2 2→2',
    ]);
  });

  it('[eventbus-6.2] keeps messages for a session that lasts, and forgets one that is clean', async () => {
    await using scene = await startScene('embedded');
    const from = await scene.client();
    const lasting = { clientId: 'lasting', clean: false };
    const first = await scene.client(lasting);
    await first.mqtt.subscribeAsync('a/#', { qos: 2 });
    await first.close(true);
    await from.publish('a/1', 'one', 1);
    await from.publish('a/2', 'two', 2);
    await from.publish('a/3', 'not kept', 0);
    const second = await scene.client(lasting);
    await second.until(2);
    expect(second.texts).toEqual(['one', 'two']);
    await second.close();
    const clean = await scene.client({ clientId: 'lasting', clean: true });
    await clean.close();
    const third = await scene.client(lasting);
    await from.publish('a/4', 'four', 1);
    await third.mqtt.subscribeAsync('b', { qos: 1 });
    await from.publish('b', 'end', 1);
    await third.until(1);
    expect(third.texts).toEqual(['end']);
  });

  it('[eventbus-6.3] keeps at most mqttSessionQueueSize messages for who is away, the newest ones', async () => {
    await using scene = await startScene('embedded', { config: { mqttSessionQueueSize: 5 } });
    const from = await scene.client();
    const lasting = { clientId: 'lasting', clean: false };
    const first = await scene.client(lasting);
    await first.mqtt.subscribeAsync('a', { qos: 1 });
    await first.close();
    for (let number = 0; number < 12; number += 1) await from.publish('a', String(number));
    const second = await scene.client(lasting);
    await second.until(5);
    expect(second.texts).toEqual(['7', '8', '9', '10', '11']);
  });

  it('[eventbus-6.4] gives retained messages to new subscriptions, and forgets those that are emptied', async () => {
    await using scene = await startScene('embedded');
    const from = await scene.client();
    await from.publish('r/1', 'old', 1, true);
    await from.publish('r/1', 'new', 1, true);
    await from.publish('r/2', 'gone', 1, true);
    await from.publish('r/2', '', 1, true);
    await from.publish('$r/3', 'hidden', 1, true);
    const to = await scene.client();
    await to.mqtt.subscribeAsync('#', { qos: 1 });
    await from.publish('end', 'end', 1, false);
    await eventually(async () => (to.texts.includes('end') ? true : undefined), 'the end');
    expect(to.received.map(({ topic, payload, retain }) => [topic, payload.toString(), retain])).toEqual([['r/1', 'new', true], ['end', 'end', false]]);
  });

  it('[eventbus-6.5] publishes the last will of a client that vanishes, to the agent as well, and none for one that says goodbye', async () => {
    await using scene = await startScene('embedded');
    const to = await scene.client();
    await to.mqtt.subscribeAsync('default/user/#', { qos: 1 });
    const will = (payload: string) => ({ will: { topic: 'default/user/will', payload: Buffer.from(payload), qos: 1 as const, retain: false } });
    const polite = await scene.client(will('polite'));
    await polite.close();
    const rude = await scene.client(will('rude'));
    rude.mqtt.stream.destroy();
    await scene.hub.next(({ content }) => content === 'rude', 20_000);
    await to.until(1);
    expect(to.texts).toEqual(['rude']);
    expect(scene.hub.received).toHaveLength(1);
  });

  it('[eventbus-6.6] lets the newer of two clients of one name stay', async () => {
    await using scene = await startScene('embedded');
    const first = await scene.client({ clientId: 'twins' });
    const lost = new Promise<void>((resolve) => first.mqtt.once('close', () => resolve()));
    const second = await scene.client({ clientId: 'twins' });
    await lost;
    await second.mqtt.subscribeAsync('a', { qos: 1 });
    await second.publish('a', 'there');
    await second.until(1);
  });

  it('[eventbus-6.7] ends a client that is silent for longer than it said', async () => {
    await using scene = await startScene('embedded');
    const client = await scene.client({ clientId: 'sleeper', keepalive: 1, reschedulePings: false });
    // Takes away its means to say that it lives.
    client.mqtt.keepaliveManager?.destroy();
    await new Promise<void>((resolve) => client.mqtt.once('close', () => resolve()));
    await heard(scene.module, 'an MQTT client has gone');
  });

  it('[eventbus-6.8] lets a published topic with wildcards pass, as upstream does, and does not keep it', async () => {
    await using scene = await startScene('embedded');
    const socket = connect(scene.port, '127.0.0.1');
    const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
    const hello = Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 0]), text('wild')]);
    const publish = Buffer.concat([text('$hw/events/upload/#'), Buffer.from('x')]);
    socket.write(Buffer.concat([Buffer.from([0x10, hello.length]), hello, Buffer.from([0x31, publish.length]), publish]));
    const message = await scene.hub.next(() => true, 20_000);
    expect(message.route.resource).toBe('$hw/events/upload/#');
    expect(scene.module.lines.some(({ message: line }) => line === 'an MQTT client has gone')).toBe(false);
    socket.destroy();
  });

  it('[eventbus-6.10] gives thousands of retained messages at once to a subscriber that reads them', async () => {
    await using scene = await startScene('embedded');
    const from = await scene.client();
    const payload = Buffer.alloc(4096, 'x');
    await Promise.all([...Array(2000).keys()].map((number) => from.publish(`r/${number}`, payload, 1, true)));
    const to = await scene.client();
    await to.mqtt.subscribeAsync('r/#', { qos: 1 });
    await to.until(2000);
    await from.publish('r/end', 'end');
    await to.until(2001);
    expect(new Set(to.received.map(({ topic }) => topic)).size).toBe(2001);
  });

  it('[eventbus-6.11] forgets the session that is away for longest when there are more than a thousand', async () => {
    await using scene = await startScene('embedded');
    /** Comes, hears whether its session is there still, and leaves. */
    const visit = (name: string, leave: Promise<void> = Promise.resolve()): Promise<boolean> =>
      new Promise((resolve, reject) => {
        let known = false;
        const socket = connect(scene.port, '127.0.0.1', () => socket.write(Buffer.from(`1010${'00044d51545404000000'}0004${Buffer.from(name).toString('hex')}`, 'hex')));
        socket.once('data', (connack) => {
          known = connack[2] === 1;
          void leave.then(() => socket.write(Buffer.from('e000', 'hex')));
        });
        socket.once('close', () => resolve(known)).on('error', reject);
      });
    let go = (): void => undefined;
    const early = visit('long', new Promise((resolve) => (go = resolve)));
    await heard(scene.module, 'an MQTT client has come');
    for (let number = 0; number < 999; number += 1) await visit(String(number).padStart(4, '0'));
    go();
    await early;
    await visit('last');
    await heard(scene.module, 'the session of a client that is away for long is forgotten');
    expect([await visit('long'), await visit('0000')]).toEqual([true, false]);
  });

  it('[eventbus-6.12] forgets the session that is away for longest when more than 256 MiB wait for all of them', async () => {
    await using scene = await startScene('embedded');
    const lasting = (clientId: string) => scene.client({ clientId, clean: false });
    for (let number = 0; number < 10; number += 1) {
      const client = await lasting(`c${number}`);
      await client.mqtt.subscribeAsync('big', { qos: 1 });
      await client.close();
    }
    const from = await scene.client();
    // For each of the ten 28 MiB.
    for (let number = 0; number < 4; number += 1) await from.publish('big', Buffer.alloc(7 * 1024 * 1024));
    await heard(scene.module, 'the session of a client that is away for long is forgotten');
    const forgotten = scene.module.lines.filter(({ message }) => message === 'the session of a client that is away for long is forgotten');
    expect(forgotten.map(({ fields }) => fields['client'])).toEqual(['c0']);
    const [first, last] = [await lasting('c0'), await lasting('c9')];
    await last.until(4);
    expect(first.received).toEqual([]);
  });

  it('[eventbus-6.9] publishes with mqttQOS and mqttRetain', async () => {
    await using scene = await startScene('embedded', { config: { mqttQOS: 1, mqttRetain: true } });
    await scene.module.core.bus.request({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'a', content: 'kept' }));
    const client = await scene.client();
    await client.mqtt.subscribeAsync('a', { qos: 2 });
    await client.until(1);
    expect(client.received).toMatchObject([{ topic: 'a', qos: 1, retain: true }]);
  });
});
