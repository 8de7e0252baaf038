import { describe, expect, it } from 'vitest';
import { KeyQueue } from './key-queue.js';
import { planRefresh, type Referenced } from './plan.js';

describe('KeyQueue', () => {
  it('[metamanager-7.3] gives each key once, in order, to whoever waits', async () => {
    const { signal } = new AbortController();
    const queue = new KeyQueue();
    const waiting = queue.take(signal);
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(await waiting).toBe('a');
    expect(await queue.take(signal)).toBe('b');
    expect(queue.size).toBe(0);
  });

  it('[metamanager-7.4] ends all waits when the signal aborts, and none that has its key already', async () => {
    const stop = new AbortController();
    const queue = new KeyQueue();
    const first = queue.take(stop.signal);
    const second = queue.take(stop.signal);
    queue.add('a');
    expect(await first).toBe('a');
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'core.aborted' });
    queue.add('b');
    expect(await queue.take(new AbortController().signal)).toBe('b');
  });
});

describe('planRefresh', () => {
  const reference = (resource: string, over: Partial<Referenced> = {}): Referenced => ({
    resource,
    stored: true,
    confirmed: false,
    misses: 0,
    lastMiss: 0,
    ...over,
  });

  it('[metamanager-7.5] asks for what is missing first and leaves alone what the cloud has spoken of', () => {
    const references = [reference('old'), reference('seen', { confirmed: true }), reference('missing', { stored: false })];
    expect(planRefresh(references, 0)).toEqual(['missing', 'old']);
  });

  it('[metamanager-7.6] asks again for what the cloud does not have, in growing pauses', () => {
    const missing = (misses: number) => [reference('m', { stored: false, confirmed: true, misses, lastMiss: 1000 })];
    expect(planRefresh(missing(1), 60_999)).toEqual([]);
    expect(planRefresh(missing(1), 61_000)).toEqual(['m']);
    expect(planRefresh(missing(2), 61_000)).toEqual([]);
    expect(planRefresh(missing(9), 1000 + 600_000)).toEqual(['m']);
  });
});
