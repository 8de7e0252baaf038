import { eventually, freePort } from '@edge/testing';
import { expect, it } from 'vitest';
import { runAlone } from '../example/alone.js';
import { openClient } from './support/scene.js';

it('[eventbus-10.1] the example runs: a message for the cloud and one for the twin arrive', async () => {
  const port = await freePort();
  const lines: string[] = [];
  const stop = new AbortController();
  const running = runAlone(`tcp://127.0.0.1:${port}`, (line) => lines.push(line), stop.signal);
  await eventually(async () => (lines.some((line) => line.startsWith('MQTT broker listens')) ? true : undefined), 'the broker listens');
  const client = await openClient(port);
  await client.publish('default/user/hello', 'hi');
  await client.publish('$hw/events/device/default/dev1/twin/get', '{}');
  await client.close();
  stop.abort();
  await running;
  expect(lines).toContain('to the cloud: default/user/hello "hi"');
  expect(lines).toContain('to the twin: $hw/events/device/default/dev1/twin/get "{}"');
});
