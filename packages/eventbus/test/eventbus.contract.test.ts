import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { eventbus } from '../src/index.js';

describeModule(eventbus, async () => ({}));

it('[eventbus-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(eventbus);
  const question = createMessage({ source: 'test', group: 'bus', operation: 'query', resource: 'default/eventbus' });
  const answer = await running.bus.bus.request({ module: 'eventbus' }, question);
  expect(answer.content).toBe('hello');
});
