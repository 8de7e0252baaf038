import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { devicetwin } from '../src/index.js';

describeModule(devicetwin, async () => ({}));

it('[devicetwin-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(devicetwin);
  const question = createMessage({ source: 'test', group: 'twin', operation: 'query', resource: 'default/devicetwin' });
  const answer = await running.bus.bus.request({ module: 'twin' }, question);
  expect(answer.content).toBe('hello');
});
