import { eventually } from '@edge/testing';
import { expect, it } from 'vitest';
import { startScene } from './support/scene.js';
import { rawClient } from './support/raw-client.js';

const TOPIC = 'default/user/a';

it('[eventbus-6.13] hands a message of QoS 2 on once, however often its sender repeats it', async () => {
  await using scene = await startScene('embedded');
  const to = await scene.client();
  await to.mqtt.subscribeAsync(TOPIC, { qos: 2 });
  const first = await rawClient(scene.port, 'sender', false);
  first.publish(TOPIC, 'one', 2, 1);
  await first.until('50020001');
  first.publish(TOPIC, 'one', 2, 1, true);
  await eventually(async () => (first.packets.filter((hex) => hex === '50020001').length === 2 ? true : undefined), 'PUBREC twice');
  await first.vanish();
  const second = await rawClient(scene.port, 'sender', false);
  expect(second.packets[0]).toBe('20020100');
  second.publish(TOPIC, 'one', 2, 1, true);
  await second.until('50020001');
  second.send('62020001');
  await second.until('70020001');
  second.publish(TOPIC, 'two', 2, 1);
  await second.until('50020001');
  await to.until(2);
  await eventually(async () => (scene.hub.received.length === 2 ? true : undefined), 'two uploads');
  expect(to.texts).toEqual(['one', 'two']);
  expect(scene.hub.received.map(({ content }) => content)).toEqual(['one', 'two']);
  await second.vanish();
});

it('[eventbus-6.14] sends again what a lasting session has not acknowledged, in order and marked as repeated', async () => {
  await using scene = await startScene('embedded');
  const from = await scene.client();
  const first = await rawClient(scene.port, 'reader', false);
  first.subscribe('t', 2);
  await first.until('9003000902');
  await from.publish('t', 'A', 1);
  await from.publish('t', 'B', 2);
  await from.publish('t', 'C', 2);
  // 32 and 34 are PUBLISH of QoS 1 and 2, then topic, id and payload.
  for (const hex of ['3206000174000141', '3406000174000242', '3406000174000343']) await first.until(hex);
  first.send('50020002');
  await first.until('62020002');
  await first.vanish();
  await from.publish('t', 'D', 1);
  const second = await rawClient(scene.port, 'reader', false);
  await eventually(async () => (second.packets.length === 5 ? true : undefined), () => `five packets: ${second.packets.join(' ')}`);
  expect(second.packets).toEqual(['20020100', '3a06000174000141', '62020002', '3c06000174000343', '3206000174000444']);
  await second.vanish();
});

it('[eventbus-4.5] subscribers get a message once although its sender has to repeat it for the agent', async () => {
  let failing = true;
  await using scene = await startScene('embedded', {
    hub: (message) => {
      if (!failing) return 'OK';
      failing = false;
      return { header: { id: 'e', parentId: message.header.id, timestamp: 1 }, route: { ...message.route, operation: 'error' }, content: 'the disk is full' };
    },
  });
  const to = await scene.client();
  await to.mqtt.subscribeAsync(TOPIC, { qos: 2 });
  const first = await rawClient(scene.port, 'sender', false);
  const closed = new Promise((resolve) => first.socket.once('close', resolve));
  first.publish(TOPIC, 'one', 2, 7);
  await closed;
  expect(first.packets).toEqual(['20020000']);
  const second = await rawClient(scene.port, 'sender', false);
  second.publish(TOPIC, 'one', 2, 7, true);
  await second.until('50020007');
  await eventually(async () => (scene.hub.received.length === 2 ? true : undefined), 'asked twice');
  await to.publish(TOPIC, 'end', 1);
  await eventually(async () => (to.texts.includes('end') ? true : undefined), 'the end');
  expect(to.texts).toEqual(['one', 'end']);
  await second.vanish();
});
