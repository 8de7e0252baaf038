import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Schedule } from './schedule.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

it('[edged-20.5] a thousand probes share one timer, each comes when it is due and those that were called off do not', () => {
  const fired: number[] = [];
  using schedule = new Schedule<number>((key) => fired.push(key));
  const now = performance.now();
  for (let key = 0; key < 1000; key += 1) schedule.set(key, now + 1000 + key);
  expect(vi.getTimerCount()).toBe(1);
  for (let key = 0; key < 1000; key += 2) schedule.delete(key);
  schedule.set(1, now + 5000);
  vi.advanceTimersByTime(1500);
  expect(fired.every((key) => key % 2 === 1 && key <= 540)).toBe(true);
  expect(fired.length).toBeGreaterThan(240);
  expect(fired).not.toContain(1);
  vi.advanceTimersByTime(4000);
  expect(fired).toHaveLength(500);
  expect(vi.getTimerCount()).toBe(0);
});
