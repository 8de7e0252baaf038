import { expect, it } from 'vitest';
import { runAlone } from '../example/alone.js';

it('[edgehub-7.4] the example runs: a query is answered, an event survives a cut', async () => {
  const lines: string[] = [];
  await runAlone((line) => lines.push(line));
  expect(lines).toContain('module: the answer is {"data":{"colour":"blue"}}');
  expect(lines.at(-1)).toBe('module: the event has arrived, the cut did not matter');
});
