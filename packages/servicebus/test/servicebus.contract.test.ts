import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { servicebus } from '../src/index.js';

describeModule(servicebus, async () => ({}));

it('[servicebus-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(servicebus);
  const question = createMessage({ source: 'test', group: 'servicebus', operation: 'query', resource: 'default/servicebus' });
  const answer = await running.bus.bus.request({ module: 'servicebus' }, question);
  expect(answer.content).toBe('hello');
});
