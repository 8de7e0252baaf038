import { silentLogger } from '@edge/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Upkeep } from './upkeep.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('[edged-13.2] looks at what was left behind soon after its start and then each minute, but only while all pods are known', async () => {
  const begin = Date.now();
  const looks: number[] = [];
  let complete = true;
  const end = new AbortController();
  const upkeep = new Upkeep({
    pods: { workers: new Map() },
    view: { list: () => Promise.resolve(new Map()) },
    refresh: { refresh: () => undefined },
    leftovers: {
      sweep: () => {
        looks.push(Math.round((Date.now() - begin) / 1000));
        return Promise.resolve();
      },
    },
    links: { sweep: () => Promise.resolve() },
    complete: () => complete,
    signal: end.signal,
    log: silentLogger,
  });
  const running = upkeep.run();
  await vi.advanceTimersByTimeAsync(75_000);
  complete = false;
  await vi.advanceTimersByTimeAsync(60_000);
  complete = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toEqual([10, 70, 190]);
  end.abort();
  await expect(running).rejects.toThrow();
});
