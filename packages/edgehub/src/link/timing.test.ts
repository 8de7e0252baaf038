import { expect, it } from 'vitest';
import { judge, livenessLimits } from './liveness.js';
import { reconnectPause } from './pauses.js';
import { RoundTrip } from './round-trip.js';
import { Throttle } from './throttle.js';
import { windowSize } from './window.js';

/** Plays silence from time 0 on and returns when the line was declared dead. */
function deadAfter(roundTripMs: number | undefined): number {
  const limits = livenessLimits(roundTripMs, 15_000);
  let unanswered = 0;
  let pingedAt = 0;
  for (let now = 0; now < 120_000; now += 100) {
    const verdict = judge({ receivedAt: 0, unanswered, pingedAt, writingSince: undefined }, limits, now);
    if (verdict.kind === 'dead') return now;
    if (verdict.kind === 'ask') {
      unanswered += 1;
      pingedAt = now;
    }
  }
  throw new Error('never');
}

it('[edgehub-3.11] declares a silent line dead after two missed pings, within 30 s on any line', () => {
  expect(deadAfter(undefined)).toBe(7000);
  expect(deadAfter(1)).toBe(7000);
  expect(deadAfter(600)).toBe(3000 + 2 * 3000);
  expect(deadAfter(60_000)).toBe(23_000);
});

it('[edgehub-3.13] asks nothing while something comes, and sees a stuck write', () => {
  const limits = livenessLimits(10, 15_000);
  const signs = { receivedAt: 1000, unanswered: 0, pingedAt: 0, writingSince: undefined };
  expect(judge(signs, limits, 3000)).toEqual({ kind: 'alive', lookAgainMs: 1000 });
  expect(judge({ ...signs, writingSince: 0 }, limits, 15_000)).toEqual({ kind: 'dead', why: 'a write was stuck for 15 s' });
});

it('[edgehub-3.14] dials at once after a loss, then after pauses anywhere in a growing range of at most 4 s', () => {
  expect(reconnectPause(0, 0.99)).toBe(0);
  expect([1, 2, 3, 4, 5, 100].map((failures) => reconnectPause(failures, 1))).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
  expect(reconnectPause(100, 0)).toBe(0);
});

it('[edgehub-2.12] throttles to the rate after the burst, lets urgent ones run into debt, and knows no limit at 0', () => {
  const throttle = new Throttle(10, 2, 0);
  expect([throttle.take(0), throttle.take(0), throttle.take(0)]).toEqual([true, true, false]);
  expect(throttle.waitMs(0)).toBe(100);
  expect(throttle.take(100)).toBe(true);
  throttle.force(100);
  expect(throttle.waitMs(100)).toBe(200);
  expect(throttle.take(60_000)).toBe(true);
  const free = new Throttle(0, 0, 0);
  expect(Array.from({ length: 1000 }, () => free.take(0)).every(Boolean)).toBe(true);
});

it('[edgehub-4.14] has as many unconfirmed messages under way as rate and line need, and no more', () => {
  expect([undefined, 0.001, 0.2, 5, 600].map((trip) => windowSize(0, trip))).toEqual([1, 1, 20, 500, 1024]);
  expect([1, 50, 600].map((trip) => windowSize(30, trip))).toEqual([1, 1, 18]);
});

it('[edgehub-3.15] measures the round trip and ignores pongs that it did not ask for', () => {
  const trip = new RoundTrip();
  trip.sent(1, 0);
  trip.sent(2, 10);
  expect(trip.answered(7, 11)).toBe(false);
  expect(trip.answered(2, 30)).toBe(true);
  expect([trip.least, trip.smooth]).toEqual([20, 20]);
  expect(trip.answered(1, 40)).toBe(false);
});
