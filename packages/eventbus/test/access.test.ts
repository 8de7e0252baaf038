import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogFields, Logger } from '@edge/core';
import { createMemoryStore, freePort, runModule } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { Access } from '../src/broker/access.js';
import { Broker } from '../src/broker/broker.js';
import { parseEventBusConfig, type EmbeddedConfig } from '../src/config.js';
import { eventbus, hashPassword } from '../src/index.js';
import { heard, openClient, startScene } from './support/scene.js';

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

  it('[eventbus-8.5] gives nobody the session of another user, whose subscriptions and messages are in it', async () => {
    await using place = await files({
      users: `alice:${await hashPassword('a')}\nbob:${await hashPassword('b')}\n`,
      rules: 'user alice\ntopic readwrite private/#\nuser bob\ntopic readwrite open/#\n',
    });
    await using scene = await startScene('embedded', { own: { passwordFile: place.path('users'), rulesFile: place.path('rules') } });
    const session = { clientId: 'panel', clean: false };
    const alice = { username: 'alice', password: 'a' };
    const bob = { username: 'bob', password: 'b' };
    const first = await scene.client({ ...session, ...alice });
    await first.mqtt.subscribeAsync('private/#', { qos: 1 });
    await first.close();
    const writer = await scene.client(alice);
    await writer.publish('private/1', 'waits for alice');
    const second = await scene.client({ ...session, ...bob });
    await writer.publish('private/2', 'for alice alone');
    await second.mqtt.subscribeAsync('open/end', { qos: 1 });
    await second.publish('open/end', 'end');
    await second.until(1);
    expect(second.texts).toEqual(['end']);
  });

  it('[eventbus-8.6] lets go of a client whose password cannot be checked, and lives', async () => {
    const lines: (LogFields | undefined)[] = [];
    const log = { warn: (_message: string, fields?: LogFields) => lines.push(fields) };
    // A cost that no file gets past its reader with.
    const access = new Access({ users: new Map([['alice', '$scrypt$1000$YWE=$YWE=']]) });
    const { embedded } = parseEventBusConfig({ mqttMode: 0 }, {});
    const broker = new Broker({ config: embedded as EmbeddedConfig, incoming: undefined as never, access, log: log as unknown as Logger });
    const server = createServer((socket) => broker.accept(socket, { address: 'here' }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await expect(openClient(port, { username: 'alice', password: 'a' })).rejects.toThrow();
      expect(lines).toMatchObject([{ from: 'here', why: expect.stringContaining('it cannot be let in: ') as unknown }]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
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
