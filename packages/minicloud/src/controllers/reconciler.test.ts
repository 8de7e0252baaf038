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

it('[minicloud-9.8] what is to be done is done at whatever moment of the work before it comes', async () => {
  for (let moment = 0; moment < 20; moment += 1) {
    const done: string[] = [];
    const end = { of: (): void => undefined };
    const work = new Reconciler({
      name: 'test', log: silentLogger,
      reconcile: (key) => {
        done.push(key);
        return key === 'first' ? new Promise<void>((resolve) => (end.of = resolve)) : Promise.resolve();
      },
    });
    work.enqueue('first');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    end.of();
    for (let turn = 0; turn < moment; turn += 1) await Promise.resolve();
    work.enqueue('second');
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([moment, done]).toEqual([moment, ['first', 'second']]);
    await work.stop();
  }
});
