import { connect } from 'node:net';
import { eventually } from '@edge/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawClient } from './support/raw-client.js';
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

  it('[eventbus-7.7] says in the right words what a client has done wrong, and refuses a last will that could not be published', async () => {
    await using scene = await startScene('embedded');
    const client = await rawClient(scene.port, 'twice', true);
    const ended = new Promise((resolve) => client.socket.once('close', resolve));
    client.send('100d00044d51545404020000000178');
    await ended;
    const nameless = connect(scene.port, '127.0.0.1', () => nameless.write(Buffer.from('101200044d515454040600000001780000000179', 'hex')));
    await new Promise((resolve) => nameless.once('close', resolve));
    // From another port each time and in other words: not said again.
    for (const topic of ['a/+', '#']) await expect(openClient(scene.port, { will: { topic, payload: Buffer.from('x'), qos: 0, retain: false } })).rejects.toThrow();
    const whys = scene.module.lines.map(({ fields }) => fields['why']).filter((why) => why !== undefined);
    expect(whys).toEqual(['sends a second connect', 'has a last will for "", which is no topic']);
  });

  it('[eventbus-7.6] who is held back is not taken for silent, because his signs of life are not read either', async () => {
    let release: (() => void) | undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    await using scene = await startScene('embedded', { hub: () => all.then(() => 'OK') });
    const client = await rawClient(scene.port, 'held', true, 1);
    for (let id = 1; id <= 300; id += 1) client.publish('default/user/a', String(id), 1, id);
    // One and a half times its second of keep-alive, twice.
    await new Promise((resolve) => setTimeout(resolve, 3200));
    release?.();
    await client.until('4002012c');
    expect(client.packets.filter((hex) => hex.startsWith('4002'))).toHaveLength(300);
    await client.vanish();
  });
});
