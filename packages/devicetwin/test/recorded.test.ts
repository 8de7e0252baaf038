import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { createMessage, isFields, type Message } from '@edge/protocol';
import { openStore } from '@edge/store';
import { readCapture } from '@edge/testing';
import { expect, it } from 'vitest';
import { comparable } from './support/payload-table.js';
import { cloudOk, eventually, openScene, settle } from './support/scene.js';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const steps = readCapture(fixture('05-device.jsonl'));
const log = fixture('05-device.mqtt.log')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ topic: line.slice(0, line.indexOf(' ')), payload: line.slice(line.indexOf(' ') + 1) }));

const isRequest = (topic: string): boolean => /\/(twin\/update|twin\/get|state\/update|membership\/get)$/.test(topic);
/** What differs from run to run aside; a content that is a text of JSON is one. */
const told = ({ route, content }: Message): string => `${JSON.stringify(route)} ${comparable(isFields(content) ? JSON.stringify(content) : String(content))}`;

it('[twin-1.2] recorded traffic 05: the same messages on MQTT in the same order, the same messages to the cloud, and no row is left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'devicetwin-05-'));
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  await using store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
  const answered = new Set(steps.flatMap((step) => (step.kind === 'cloud' && step.message.header.parentId !== undefined ? [step.message.header.parentId] : [])));
  const reports = steps.flatMap((step) => (step.kind === 'edge' && step.message.route.source === 'twin' ? [step.message] : []));
  const silent = new Set(reports.filter(({ header }) => !answered.has(header.id)).map(({ route }) => route.resource));
  await using scene = await openScene({ store, connected: true, node: 'edge-go', cloud: (message) => (silent.has(message.route.resource) ? undefined : cloudOk(message)) });
  let mqttIsOver = false;
  for (const step of steps) {
    if (step.kind !== 'cloud' || step.message.header.parentId !== undefined) continue;
    const { route, content } = step.message;
    if (JSON.stringify(content).includes('"removed_devices":[') && !mqttIsOver) {
      for (const { topic, payload } of log.filter((line) => isRequest(line.topic))) expect(await scene.publish(topic, payload)).toBe('response');
      await eventually(() => reports.every((report) => scene.hub.received.some((message) => message.route.resource === report.route.resource)));
      mqttIsOver = true;
    }
    if (route.group === 'twin') await scene.fromCloud(step.message);
    // As metamanager passes it on.
    else await scene.fromCloud(createMessage({ ...route, source: 'meta', group: 'twin', content }));
  }
  await eventually(() => scene.published.filter(({ topic }) => topic.endsWith('/membership/updated')).length === 2);
  await settle();

  // The recording of MQTT began after the device was added.
  expect(scene.published.slice(1).map(({ topic, payload }) => `${topic} ${comparable(payload)}`)).toEqual(
    log.filter(({ topic }) => !isRequest(topic)).map(({ topic, payload }) => `${topic} ${comparable(payload)}`),
  );
  // What the cloud did not answer may have been said again.
  const first = scene.hub.received.filter((message, index, all) => all.findIndex((other) => other.route.resource === message.route.resource) === index);
  expect(first.map(told)).toEqual(reports.map(told));
  expect([scene.deviceRows(), scene.twinRows()]).toEqual([[], []]);
  expect(scene.running.letters).toEqual([]);
});
