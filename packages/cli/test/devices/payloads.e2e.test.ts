import { startMosquitto } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { comparable, fillRow, payloadTable } from '../../../devicetwin/test/support/payload-table.js';
import { mqttClient, type TestClient } from '../support/mqtt.js';
import { NODE, openScene, type Scene } from '../support/scene.js';
import { device, model } from './drift-world.js';

/** Every topic on which the node publishes. */
const ANSWERS = [
  ...['update/result', 'update/document', 'update/delta', 'get/result'].map((what) => `$hw/events/device/+/+/twin/${what}`),
  '$hw/events/device/+/twin/update/result',
  '$hw/events/device/+/+/state/update/result',
  '$hw/events/node/+/membership/get/result',
  '$hw/events/node/+/membership/updated',
];
const WAIT_MS = 30_000;

describe.each(['embedded broker', 'mosquitto'] as const)('the payload table on the %s', (where) => {
  const opened: AsyncDisposable[] = [];
  let scene: Scene;
  let client: TestClient;

  beforeAll(async () => {
    const broker = where === 'mosquitto' ? await startMosquitto() : undefined;
    if (broker) opened.push(broker);
    scene = await openScene({ edit: (text) => (broker ? external(text, broker.url) : text) });
    opened.push(scene);
    await scene.ready(0, 60_000);
    const namespaces = scene.cloud.api.resource('v1', 'namespaces');
    await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } } as never);
    await scene.cloud.api.resource('devices.kubeedge.io/v1beta1', 'devicemodels').create(inNs(model()));
    client = await mqttClient(broker?.port ?? scene.mqttPort, ANSWERS);
    opened.push(client);
  }, 120_000);

  afterAll(async () => {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
  });

  it.each(payloadTable)('[devices-3.1] $title', { timeout: 120_000 }, async (row) => {
    const name = `dev-${payloadTable.indexOf(row)}`;
    const id = `ns/${name}`;
    const devices = scene.cloud.api.resource('devices.kubeedge.io/v1beta1', 'devices');
    const { before = [], publish, expect: wanted } = fillRow(row, { device: id, node: NODE });
    const isNews = (member: string) => ({ topic, payload }: { topic: string; payload: string }): boolean =>
      topic.endsWith('/membership/updated') && ((JSON.parse(payload) as Record<string, { id: string }[] | null>)[member] ?? []).some((one) => one.id === id);
    const begin = client.received.length;
    await devices.create(inNs(device(name, 'none', 0)));
    await client.next(isNews('added_devices'), begin, WAIT_MS);
    for (const one of before) await client.publish(one.topic, one.payload as string);
    await mark(client, id, 'before');
    const from = client.received.length;
    await client.publish(publish.topic, publish.payload as string);
    if (wanted.length > 0) await client.next(() => client.received.length - from >= wanted.length, from, WAIT_MS);
    // Whatever else it brings comes before the answer to the next question.
    const until = await mark(client, id, 'after');
    const heard = client.received.slice(from, until).filter(({ topic }) => !topic.endsWith('/membership/updated'));
    expect(heard.map(({ topic, payload }) => ({ topic, payload: comparable(payload) }))).toEqual(wanted);
    const end = client.received.length;
    await devices.delete(name, 'ns');
    await client.next(isNews('removed_devices'), end, WAIT_MS);
  });
});

/** Asks for the twin and resolves with the place of the answer. */
async function mark(client: TestClient, id: string, what: string): Promise<number> {
  const from = client.received.length;
  const event = `mark-${what}-${id}`;
  await client.publish(`$hw/events/device/${id}/twin/get`, JSON.stringify({ event_id: event, timestamp: 0 }));
  const answer = await client.next(({ payload }) => payload.includes(event), from, WAIT_MS);
  return client.received.indexOf(answer);
}

function external(text: string, url: string): string {
  const config = parse(text) as { modules: Record<string, object> };
  config.modules['eventBus'] = { mqttMode: 2, mqttServerExternal: url };
  return stringify(config);
}

function inNs(object: object): never {
  const { metadata } = object as { metadata: object };
  return { ...object, metadata: { ...metadata, namespace: 'ns' } } as never;
}
