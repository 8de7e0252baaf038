import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMosquitto } from '@edge/testing';
import { startHelper } from './ask.js';
import { figure } from './figure.js';

const BYTES = 256;
const WINDOW = 100;
const quick = process.argv.includes('--quick');
const RUNS = quick ? 1 : 3;
const MESSAGES = quick ? 4_000 : 100_000;

const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'mqtt-'));
try {
  await using clients = startHelper('mqtt-clients');
  await using mosquitto = await startMosquitto();
  await using agent = startHelper('device-agent');
  const embeddedPort = await agent.ask<number>({ do: 'start', folder });
  for (const qos of [0, 1]) {
    const measure = (port: number): Promise<number> => clients.ask<number>({ port, qos, messages: MESSAGES, bytes: BYTES, window: WINDOW });
    const rates: { embedded: number[]; beside: number[] } = { embedded: [], beside: [] };
    // In turns, so that a busy minute of the machine meets both.
    for (let run = 0; run < RUNS; run += 1) {
      rates.beside.push(await measure(mosquitto.port));
      rates.embedded.push(await measure(embeddedPort));
    }
    const middle = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
    const [embedded, beside] = [middle(rates.embedded), middle(rates.beside)];
    figure(`MQTT QoS ${qos}, embedded broker`, embedded, 'messages/s', `${BYTES} bytes, one publisher, one subscriber, ${WINDOW} under way; not kept on disk`);
    figure(`MQTT QoS ${qos}, mosquitto`, beside, 'messages/s', 'the same clients');
    figure(`MQTT QoS ${qos}, embedded broker to mosquitto`, embedded / beside, 'times');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
