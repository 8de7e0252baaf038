import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { edgemesh } from '../src/index.js';

describeModule(edgemesh, async () => ({}));

it('[edgemesh-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(edgemesh);
  const question = createMessage({ source: 'test', group: 'edgemesh', operation: 'query', resource: 'default/edgemesh' });
  const answer = await running.bus.bus.request({ module: 'edgemesh' }, question);
  expect(answer.content).toBe('hello');
});
