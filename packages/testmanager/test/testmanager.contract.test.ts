import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { testmanager } from '../src/index.js';

describeModule(testmanager, async () => ({}));

it('[testmanager-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(testmanager);
  const question = createMessage({ source: 'test', group: 'testmanager', operation: 'query', resource: 'default/testmanager' });
  const answer = await running.bus.bus.request({ module: 'testmanager' }, question);
  expect(answer.content).toBe('hello');
});
