import { silentLogger } from '@edge/core';
import { expect, it } from 'vitest';
import { Reconciler } from './reconciler.js';

it('[minicloud-9.7] what is to be looked at again in a year is not looked at without a pause', async () => {
  let rounds = 0;
  const year = 365 * 86_400_000;
  const work = new Reconciler({ name: 'test', log: silentLogger, reconcile: () => Promise.resolve((rounds += 1) > 0 ? year : 0) });
  work.enqueue('job');
  await expect.poll(() => rounds, { timeout: 20_000 }).toBe(1);
  // A timer that is due at once would have been by now.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(rounds).toBe(1);
  await work.stop();
});
