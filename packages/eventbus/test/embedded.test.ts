import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage } from '@edge/protocol';
import { createMemoryStore, eventually, freePort, runModule } from '@edge/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventbus, hashPassword } from '../src/index.js';
import { heard, openClient, startScene, type Scene } from './support/scene.js';

const LONG = 60_000;

/** A client that says it is there and then reads nothing. */
async function deafClient(scene: Scene, filter: string, qos: 0 | 1): Promise<{ destroy(): void }> {
  const socket = connect(scene.port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
  const hello = Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 0]), text('deaf')]);
  const subscribe = Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([qos])]);
  socket.write(Buffer.concat([Buffer.from([0x10, hello.length]), hello, Buffer.from([0x82, subscribe.length]), subscribe]));
  await new Promise((resolve) => socket.once('readable', resolve));
  socket.pause();
  socket.on('error', () => undefined);
  await heard(scene.module, 'an MQTT client has come', 3);
  return socket;
}

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

  it('[eventbus-6.9] publishes with mqttQOS and mqttRetain', async () => {
    await using scene = await startScene('embedded', { config: { mqttQOS: 1, mqttRetain: true } });
    await scene.module.core.bus.request({ module: 'eventbus' }, createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'a', content: 'kept' }));
    const client = await scene.client();
    await client.mqtt.subscribeAsync('a', { qos: 2 });
    await client.until(1);
    expect(client.received).toMatchObject([{ topic: 'a', qos: 1, retain: true }]);
  });
});

describe('hostile and slow clients', () => {
  it.each([0, 1] as const)('[eventbus-7.1] a client that does not read (QoS %d) holds up nobody, and bounded memory is kept for it', async (qos) => {
    await using scene = await startScene('embedded');
    const [from, to] = [await scene.client(), await scene.client()];
    await to.mqtt.subscribeAsync('big', { qos });
    const deaf = await deafClient(scene, 'big', qos);
    const payload = Buffer.alloc(32 * 1024, 'x');
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().rss;
    for (let number = 0; number < 1500; number += 1) await from.publish('big', payload, 1);
    await to.until(1500);
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().rss - before;
    // What was received is kept by this test itself, twice with the buffers it is a part of.
    expect(grown).toBeLessThan(400 * 1024 * 1024);
    if (qos === 1) {
      await heard(scene.module, 'an MQTT client has gone');
      expect(scene.module.lines.find(({ message }) => message === 'an MQTT client has gone')?.fields).toMatchObject({ client: 'deaf', why: 'it reads too slowly: more than 100 messages wait for it' });
    }
    deaf.destroy();
    if (qos === 0) {
      await heard(scene.module, 'an MQTT client has gone');
      expect(Number(scene.module.lines.find(({ message }) => message === 'an MQTT client has gone')?.fields['dropped'])).toBeGreaterThan(500);
    }
  }, LONG);

  it('[eventbus-7.2] garbage on the socket ends that connection and nothing else', async () => {
    await using scene = await startScene('embedded');
    const other = await scene.client();
    await other.mqtt.subscribeAsync('still/there', { qos: 1 });
    const hello = Buffer.from([0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 4, 0x66, 0x75, 0x7a, 0x7a]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, afterHello) => {
        const socket = connect(scene.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve));
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.end(afterHello ? Buffer.concat([hello, bytes]) : bytes);
        socket.resume();
        await closed;
      }),
      { numRuns: 150 },
    );
    await other.publish('still/there', 'yes');
    await other.until(1);
    expect(scene.module.core.health.value['eventbus']).toMatchObject({ phase: 'ready', restarts: 0 });
  }, LONG);

  it('[eventbus-7.3] random topics and payloads of honest clients pass, and are handed on byte for byte', async () => {
    await using scene = await startScene('embedded');
    const [from, to] = [await scene.client(), await scene.client()];
    await to.mqtt.subscribeAsync(['#', '$hw/#'], { qos: 1 });
    const level = fc.oneof(fc.constantFrom('$hw', 'events', 'device', 'default', 'dev1', 'twin', 'update', 'user', 'state', 'node', ''), fc.string({ unit: 'grapheme', maxLength: 8 }));
    const topics = fc.array(level, { minLength: 1, maxLength: 8 }).map((levels) => levels.join('/')).filter((topic) => topic !== '' && !/[+#\0]/.test(topic) && !/^\$(?!hw\/)/.test(topic) && !topic.endsWith('cloud_updated'));
    let count = 0;
    await fc.assert(
      fc.asyncProperty(topics, fc.uint8Array({ maxLength: 200 }), async (topic, payload) => {
        await from.publish(topic, Buffer.from(payload), 1);
        count += 1;
        await to.until(count);
        const last = to.received[count - 1];
        expect(last?.topic).toBe(topic);
        expect(last?.payload.equals(Buffer.from(payload))).toBe(true);
      }),
      { numRuns: 150 },
    );
  }, LONG);

  it('[eventbus-7.4] refuses packets that are too large, too many clients and MQTT 5; MQTT 3.1 is spoken', async () => {
    await using scene = await startScene('embedded', { own: { maxPacketBytes: 2048, maxClients: 2 } });
    const first = await scene.client({ clientId: 'first' });
    const large = await scene.client({ clientId: 'large' });
    await expect(openClient(scene.port)).rejects.toThrow();
    const gone = new Promise<void>((resolve) => large.mqtt.once('close', () => resolve()));
    large.mqtt.publish('a', Buffer.alloc(200_000), { qos: 1 });
    await gone;
    await heard(scene.module, 'an MQTT client has gone');
    await expect(openClient(scene.port, { protocolVersion: 5 })).rejects.toThrow();
    await expect(openClient(scene.port, { protocolVersion: 5 })).rejects.toThrow();
    const old = await scene.client({ protocolId: 'MQIsdp', protocolVersion: 3, clientId: 'old' });
    await old.publish('a', 'x', 2);
    await old.close();
    await first.publish('a', 'x');
  });

  it('[eventbus-7.5] holds back a client whose messages are not taken yet, and reads on afterwards', async () => {
    let release: (() => void) | undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    await using scene = await startScene('embedded', { hub: () => all.then(() => 'OK') });
    const client = await scene.client();
    const sent = [...Array(2000).keys()].map((number) => client.publish('default/user/a', String(number).padEnd(1000, '.')));
    await scene.hub.next(() => true, 20_000);
    release?.();
    await Promise.all(sent);
    await eventually(async () => (scene.hub.received.length === 2000 ? true : undefined), () => `2000, there are ${scene.hub.received.length}`);
    expect(scene.hub.received.map(({ content }) => parseInt(String(content), 10))).toEqual([...Array(2000).keys()]);
  }, LONG);
});

describe('who may do what', () => {
  async function files(content: Readonly<Record<string, string>>): Promise<{ path(name: string): string } & AsyncDisposable> {
    const folder = await mkdtemp(join(tmpdir(), 'edge-eventbus-'));
    for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
    return { path: (name) => join(folder, name), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  }

  it('[eventbus-8.1] lets in users with the right password alone', async () => {
    await using place = await files({ users: `# people\nalice:${await hashPassword('secret')}\nbob:$7$101$5oCMZyPbCYYJPm/q$${'x'.repeat(86)}==\n` });
    await using scene = await startScene('embedded', { own: { passwordFile: place.path('users') } });
    await expect(openClient(scene.port)).rejects.toThrow('Not authorized');
    await expect(openClient(scene.port, { username: 'alice', password: 'wrong' })).rejects.toThrow('Bad username or password');
    await expect(openClient(scene.port, { username: 'bob', password: 'x' })).rejects.toThrow('Bad username or password');
    await expect(openClient(scene.port, { username: 'eve', password: 'secret' })).rejects.toThrow('Bad username or password');
    const alice = await scene.client({ username: 'alice', password: 'secret' });
    await alice.publish('default/user/a', 'x');
    await scene.hub.next(() => true, 20_000);
    expect(JSON.stringify(scene.module.lines)).not.toContain('secret');
  });

  it('[eventbus-8.2] lets clients use the topics of their rules alone', async () => {
    await using place = await files({
      rules: 'topic read open/#\nuser alice\ntopic readwrite default/user/#\ntopic deny default/user/private\npattern write $hw/events/device/default/%c/twin/update\npattern read $hw/events/device/default/%c/twin/+/result\n',
    });
    await using scene = await startScene('embedded', { own: { rulesFile: place.path('rules') } });
    const dev = await scene.client({ clientId: 'dev1' });
    const alice = await scene.client({ clientId: 'a', username: 'alice' });
    const granted = async (client: typeof dev, topic: string): Promise<boolean> => (await client.mqtt.subscribeAsync(topic, { qos: 1 }).then((all) => all[0]?.qos === 1, () => false));
    expect(await granted(dev, 'open/a')).toBe(true);
    expect(await granted(dev, '#')).toBe(false);
    expect(await granted(dev, '$hw/events/device/default/dev1/twin/update/result')).toBe(true);
    expect(await granted(dev, '$hw/events/device/default/dev2/twin/update/result')).toBe(false);
    expect(await granted(alice, 'default/user/a')).toBe(true);
    expect(await granted(alice, 'default/user/#')).toBe(false);
    await dev.publish('$hw/events/device/default/dev2/twin/update', 'not mine');
    await dev.publish('default/user/a', 'not mine');
    await dev.publish('$hw/events/device/default/dev1/twin/update', 'mine');
    await alice.publish('default/user/private', 'denied');
    await alice.publish('default/user/a', 'hers');
    await scene.twin.next(() => true, 20_000);
    await scene.hub.next(() => true, 20_000);
    expect([...scene.twin.received, ...scene.hub.received].map(({ content }) => content)).toEqual(['mine', 'hers']);
  });

  it('[eventbus-8.3] says what is wrong with its files, does not serve meanwhile, and serves when they are right', async () => {
    await using place = await files({ users: 'alice:plain\n' });
    const port = await freePort();
    await using module = await runModule(eventbus, {
      store: createMemoryStore(),
      config: { modules: { eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${port}` } }, edge: { eventBus: { passwordFile: place.path('users') } } },
    });
    await heard(module, 'the MQTT broker cannot serve, it is tried again until it can');
    expect(module.lines.at(-1)?.fields['err']).toContain('users, line 1 is not name:hash');
    expect(JSON.stringify(module.lines)).not.toContain('plain"');
    await expect(openClient(port, { username: 'alice', password: 'plain' })).rejects.toThrow();
    await writeFile(place.path('users'), `alice:${await hashPassword('good')}\n`);
    await heard(module, 'MQTT broker listens');
    await (await openClient(port, { username: 'alice', password: 'good' })).close();
  });

  it('[eventbus-8.4] a port that is taken: said in words, tried again, the module lives', async () => {
    const port = await freePort();
    const holder: Server = createServer();
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
    await using module = await runModule(eventbus, {
      store: createMemoryStore(),
      config: { modules: { eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${port}` } } },
    });
    await heard(module, 'the MQTT broker cannot serve, it is tried again until it can');
    expect(module.lines.at(-1)?.fields['err']).toContain(`cannot listen on tcp://127.0.0.1:${port}: listen EADDRINUSE`);
    await new Promise((resolve) => holder.close(resolve));
    await heard(module, 'MQTT broker listens');
    expect(module.core.health.value['eventbus']).toMatchObject({ phase: 'ready', restarts: 0 });
  });
});
