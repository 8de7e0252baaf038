import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { taskmanager } from '../src/index.js';

describeModule(taskmanager, async () => ({}));

it('[taskmanager-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(taskmanager);
  const question = createMessage({ source: 'test', group: 'taskmanager', operation: 'query', resource: 'default/taskmanager' });
  const answer = await running.bus.bus.request({ module: 'taskmanager' }, question);
  expect(answer.content).toBe('hello');
});
