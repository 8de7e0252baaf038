import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage } from '@edge/protocol';
import { createTestCa, freePort, startMosquitto, type IssuedPair, type TestCa } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { connected, heard, openClient, startScene } from './support/scene.js';

interface Files extends AsyncDisposable {
  readonly ca: TestCa;
  readonly server: IssuedPair;
  readonly client: IssuedPair;
  path(name: 'ca' | 'server.crt' | 'server.key' | 'client.crt' | 'client.key' | 'users' | 'other-ca'): string;
}

/** Certificates of one authority, and another authority that nobody trusts. */
async function pki(): Promise<Files> {
  const [ca, other] = [await createTestCa(), await createTestCa('Other')];
  const [server, client] = [await ca.server(), await ca.node('device-7')];
  const folder = await mkdtemp(join(tmpdir(), 'edge-eventbus-tls-'));
  const content = { ca: ca.certificate, 'other-ca': other.certificate, 'server.crt': server.certificate, 'server.key': server.privateKey, 'client.crt': client.certificate, 'client.key': client.privateKey };
  for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
  return { ca, server, client, path: (name) => join(folder, name), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

describe('the broker in here', () => {
  it.each(['tls://127.0.0.1', 'mqtts://localhost', 'wss://127.0.0.1', 'ws://127.0.0.1', 'mqtt://127.0.0.1', 'tcp://', 'tcp://[::ffff:127.0.0.1]'])('[eventbus-9.1] listens on %s', async (place) => {
    await using files = await pki();
    const tls = { certFile: files.path('server.crt'), keyFile: files.path('server.key'), caFile: files.path('ca') };
    const port = await freePort();
    await using scene = await startScene('embedded', { port, config: { mqttServerInternal: `${place}:${port}` }, own: { tls } });
    const client = await openClient(port, { ca: files.ca.certificate }, `${place.slice(0, place.indexOf(':'))}://127.0.0.1:${port}`);
    try {
      await client.mqtt.subscribeAsync('big', { qos: 1 });
      const bytes = Buffer.alloc(300_000, 0xfe);
      await client.publish('big', bytes);
      await client.until(1);
      expect(client.received[0]?.payload.equals(bytes)).toBe(true);
      await client.publish('default/user/a', 'x');
      await scene.hub.next(() => true, 20_000);
    } finally {
      await client.close();
    }
  });

  it('[eventbus-9.2] takes a certificate of its authority for a login, demands one when told so, and knows its name in rules', async () => {
    await using files = await pki();
    const tls = { certFile: files.path('server.crt'), keyFile: files.path('server.key'), caFile: files.path('ca'), requireClientCertificate: true };
    await writeFile(files.path('users'), 'user system:node:device-7\ntopic write default/user/seven\n');
    const port = await freePort();
    const url = `mqtts://127.0.0.1:${port}`;
    await using scene = await startScene('embedded', { port, config: { mqttServerInternal: url }, own: { tls, rulesFile: files.path('users') } });
    await expect(openClient(port, { ca: files.ca.certificate, connectTimeout: 3000 }, url)).rejects.toThrow();
    // Nobody checks what it calls itself, so that does not count.
    const client = await openClient(port, { ca: files.ca.certificate, cert: files.client.certificate, key: files.client.privateKey, username: 'somebody-else' }, url);
    try {
      await client.publish('default/user/eight', 'not allowed');
      await client.publish('default/user/seven', 'allowed');
      await scene.hub.next(() => true, 20_000);
      expect(scene.hub.received.map(({ content }) => content)).toEqual(['allowed']);
    } finally {
      await client.close();
    }
  });
});

describe('the broker elsewhere', () => {
  const round = createMessage({ source: 'twin', group: 'bus', operation: 'publish', resource: 'default/user/round', content: 'trip' });

  it('[eventbus-9.3] is reached with TLS, certificate, user name and password', async () => {
    await using files = await pki();
    await using broker = await startMosquitto({ tls: { pair: files.server, clientCa: files.ca.certificate }, users: { agent: 'secret' } });
    const eventBusTLS = { enable: true, tlsMqttCAFile: files.path('ca'), tlsMqttCertFile: files.path('client.crt'), tlsMqttPrivateKeyFile: files.path('client.key') };
    await using scene = await startScene('mosquitto', { broker, config: { eventBusTLS, mqttUsername: 'agent', mqttPassword: 'secret' } });
    await connected(scene.module);
    await scene.module.core.bus.send({ module: 'eventbus' }, round);
    await scene.hub.next(({ content }) => content === 'trip', 20_000);
    expect(JSON.stringify(scene.module.lines)).not.toContain('secret');
  });

  it('[eventbus-9.4] with a certificate of another authority is refused, and the reason is said', async () => {
    await using files = await pki();
    await using broker = await startMosquitto({ tls: { pair: files.server } });
    const eventBusTLS = { enable: true, tlsMqttCAFile: files.path('other-ca'), tlsMqttCertFile: files.path('client.crt'), tlsMqttPrivateKeyFile: files.path('client.key') };
    await using scene = await startScene('mosquitto', { broker, config: { eventBusTLS } });
    await heard(scene.module, 'the MQTT broker cannot be had, it is tried again until it can');
    expect(scene.module.lines.find(({ message }) => message.includes('cannot be had'))?.fields['err']).toMatch(/certificate|issuer/);
  });

  it('[eventbus-9.5] behind TLS without eventBusTLS is used unchecked, as upstream does it, and that is said', async () => {
    await using files = await pki();
    await using broker = await startMosquitto({ tls: { pair: files.server } });
    await using scene = await startScene('mosquitto', { broker });
    await connected(scene.module);
    await scene.module.core.bus.send({ module: 'eventbus' }, round);
    await scene.hub.next(({ content }) => content === 'trip', 20_000);
    expect(scene.module.lines.some(({ message }) => message.includes('certificate of the MQTT broker is not checked'))).toBe(true);
  });

  it('[eventbus-9.6] that refuses the login is named with the reason, once, while it is tried again', async () => {
    await using broker = await startMosquitto({ users: { agent: 'secret' } });
    await using scene = await startScene('mosquitto', { broker, config: { mqttUsername: 'agent', mqttPassword: 'wrong' } });
    await heard(scene.module, 'the MQTT broker cannot be had, it is tried again until it can');
    const lines = scene.module.lines.filter(({ message }) => message.includes('cannot be had'));
    expect(String(lines[0]?.fields['err'])).toContain('Not authorized');
    expect(JSON.stringify(lines)).not.toContain('wrong');
  });

  it('[eventbus-9.7] may have the login in its address, which is not said in the log', async () => {
    await using broker = await startMosquitto({ users: { agent: 'secret' } });
    await using scene = await startScene('mosquitto', { broker, config: { mqttServerExternal: broker.url.replace('//', '//agent:secret@') } });
    await connected(scene.module);
    await using other = await startScene('mosquitto', { broker, config: { mqttServerExternal: broker.url.replace('//', '//agent:secretly@') } });
    await heard(other.module, 'the MQTT broker cannot be had, it is tried again until it can');
    expect(JSON.stringify([scene.module.lines, other.module.lines])).not.toContain('secret');
  });
});
