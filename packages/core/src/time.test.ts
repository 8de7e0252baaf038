import { expect, it } from 'vitest';
import { EdgeError, errorCode } from './errors.js';
import { backoffDelay, sleep, untilAborted, withTimeout } from './time.js';

it('[core-3.1] a pause ends early and by code when it is aborted, before it or in it', async () => {
  const stop = new AbortController();
  const pause = sleep(60_000, stop.signal);
  stop.abort();
  await expect(pause).rejects.toSatisfy((error) => errorCode(error) === 'core.aborted');
  await expect(sleep(0, stop.signal)).rejects.toSatisfy((error) => errorCode(error) === 'core.aborted');
});

it('[core-3.2] waiting for the abort ends with it, and at once when it is over', async () => {
  const stop = new AbortController();
  let ended = false;
  const wait = untilAborted(stop.signal).then(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  stop.abort();
  await wait;
  await untilAborted(stop.signal);
});

it('[core-3.3] a time limit gives the outcome of the work, its own error when it is late, or the abort', async () => {
  const late = (): Error => new EdgeError('test.late', 'too late');
  const never = new Promise<never>(() => undefined);
  expect(await withTimeout(Promise.resolve(7), 60_000, late)).toBe(7);
  await expect(withTimeout(never, 1, late)).rejects.toSatisfy((error) => errorCode(error) === 'test.late');
  await expect(withTimeout(never, 60_000, late, AbortSignal.abort())).rejects.toSatisfy((error) => errorCode(error) === 'core.aborted');
});

it('[core-3.4] pauses grow by the factor to the limit and are spread by the jitter', () => {
  const backoff = { firstMs: 100, factor: 2, limitMs: 500, jitter: 0.1 };
  expect([0, 1, 2, 3, 9].map((attempt) => backoffDelay(backoff, attempt, 0.5))).toEqual([100, 200, 400, 500, 500]);
  expect(backoffDelay(backoff, 0, 0)).toBeCloseTo(90);
  expect(backoffDelay(backoff, 9, 1)).toBeCloseTo(550);
});

it('[core-3.5] a time beyond the longest timer of Node.js does not count as none', async () => {
  const stop = new AbortController();
  const long = sleep(2 ** 40, stop.signal).then(() => 'over', () => 'still waiting');
  const limited = withTimeout(long, 2 ** 40, () => new EdgeError('test.late', 'too late'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  expect(await limited).toBe('still waiting');
});
