import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { createTestCa } from '../tls/test-ca.js';
import { startMosquitto, type Mosquitto } from './mosquitto.js';

function publish(broker: Mosquitto, ...more: readonly string[]): number | null {
  const args = ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a/b', '-m', 'x', '-q', '1', ...more];
  return spawnSync('mosquitto_pub', args, { encoding: 'utf8', timeout: 20_000 }).status;
}

it('[mosquitto-1] takes messages, is gone after a kill, and comes back on the same port', async () => {
  await using broker = await startMosquitto();
  expect(publish(broker)).toBe(0);
  await broker.kill();
  expect(publish(broker)).not.toBe(0);
  await broker.start();
  expect(publish(broker)).toBe(0);
}, 60_000);

it('[mosquitto-2] lets only named users in', async () => {
  await using broker = await startMosquitto({ users: { alice: 'secret' } });
  expect(publish(broker)).not.toBe(0);
  expect(publish(broker, '-u', 'alice', '-P', 'secret')).toBe(0);
}, 60_000);

it('[mosquitto-3] speaks TLS and asks for client certificates', async () => {
  const ca = await createTestCa();
  await using broker = await startMosquitto({ tls: { pair: await ca.server(), clientCa: ca.certificate } });
  expect(broker.url).toBe(`ssl://127.0.0.1:${broker.port}`);
  expect(publish(broker)).not.toBe(0);
}, 60_000);

it('[mosquitto-4] can be frozen with its port open, and down from the start', async () => {
  await using broker = await startMosquitto({ stopped: true });
  expect(publish(broker)).not.toBe(0);
  await broker.start();
  broker.freeze();
  const socket = connect(broker.port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.destroy();
  broker.thaw();
  expect(publish(broker)).toBe(0);
}, 60_000);
