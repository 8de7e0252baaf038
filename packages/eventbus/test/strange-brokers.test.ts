import { createServer, type AddressInfo, type Socket } from 'node:net';
import { parser, type Packet } from 'mqtt-packet';
import { createMemoryStore, eventually, runModule, type RunningModule } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventbus } from '../src/index.js';
import { heard } from './support/scene.js';

/** A broker that answers as the script says. */
async function playBroker(script: (packet: Packet, socket: Socket) => void): Promise<{ readonly port: number; readonly packets: Packet[] } & AsyncDisposable> {
  const packets: Packet[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const reader = parser();
    reader.on('packet', (packet) => {
      packets.push(packet);
      script(packet, socket);
    });
    socket.on('data', (chunk) => reader.parse(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    packets,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function runWith(port: number): Promise<RunningModule> {
  return runModule(eventbus, { store: createMemoryStore(), config: { modules: { eventBus: { mqttMode: 2, mqttServerExternal: `tcp://127.0.0.1:${port}` } } } });
}

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

function suback(packet: Packet, code: number): Buffer {
  const { messageId = 0, subscriptions } = packet as { messageId?: number; subscriptions: unknown[] };
  return Buffer.from([0x90, 2 + subscriptions.length, messageId >> 8, messageId & 255, ...subscriptions.map(() => code)]);
}

it('[eventbus-5.9] speaks MQTT 3.1 to a broker that refuses 3.1.1', async () => {
  await using broker = await playBroker((packet, socket) => {
    if (packet.cmd === 'connect') socket.write(packet.protocolVersion === 3 ? CONNACK : Buffer.from([0x20, 2, 0, 1]));
    if (packet.cmd === 'subscribe') socket.write(suback(packet, 1));
  });
  await using module = await runWith(broker.port);
  await heard(module, 'connected to the MQTT broker', 2);
  const hello = broker.packets.filter((packet) => packet.cmd === 'connect');
  expect(hello.map(({ clientId, protocolId, protocolVersion, clean, keepalive }) => `${clientId} ${protocolId} ${protocolVersion} ${clean} ${keepalive}`).sort()).toEqual([
    'hub-client-pub-edge-1 MQIsdp 3 true 30',
    'hub-client-pub-edge-1 MQTT 4 true 30',
    'hub-client-sub-edge-1 MQIsdp 3 false 30',
    'hub-client-sub-edge-1 MQTT 4 false 30',
  ]);
});

it('[eventbus-5.10] names subscriptions that the broker does not grant, and stays', async () => {
  await using broker = await playBroker((packet, socket) => {
    if (packet.cmd === 'connect') socket.write(CONNACK);
    if (packet.cmd === 'subscribe') socket.write(suback(packet, 0x80));
  });
  await using module = await runWith(broker.port);
  await heard(module, 'the MQTT broker does not grant subscriptions');
  await heard(module, 'connected to the MQTT broker', 2);
  expect(module.lines.find(({ message }) => message.includes('does not grant'))?.fields['topics']).toContain('+/user/#');
});

it('[eventbus-5.11] leaves a broker that sends what is no MQTT, and comes back', async () => {
  let garbage = 0;
  await using broker = await playBroker((packet, socket) => {
    if (packet.cmd === 'connect') socket.write(CONNACK);
    if (packet.cmd === 'subscribe') {
      garbage += 1;
      socket.write(garbage <= 2 ? Buffer.from([0xf7, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x01]) : suback(packet, 1));
    }
  });
  await using module = await runWith(broker.port);
  await eventually(async () => (garbage > 2 ? true : undefined), 'a third try');
  await heard(module, 'connected to the MQTT broker', 2);
  expect(module.core.health.value['eventbus']).toMatchObject({ phase: 'ready', restarts: 0 });
});
