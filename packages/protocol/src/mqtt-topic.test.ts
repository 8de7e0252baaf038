import { expect, it } from 'vitest';
import { resourceTopic, topicResource } from './mqtt-topic.js';

it.each(['$hw/events/device/default/dev1/twin/update', '$hw/events/node/edge-1/membership/get', 'a', 'über/user/x'])('[protocol-topic-1] %s comes back as it went', (topic) => {
  expect(topicResource(topic).length % 4).toBe(0);
  expect(resourceTopic(topicResource(topic))).toBe(topic);
});

it('[protocol-topic-2] is not found in what is no base64url', () => {
  expect(resourceTopic('$hw/events')).toBeUndefined();
});
