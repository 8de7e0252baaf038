import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, formatGoDuration, parseGoDuration } from './go-duration.js';

describe('Go durations', () => {
  it.each([
    ['1m', '1m0s', 60_000],
    ['90s', '1m30s', 90_000],
    ['4h', '4h0m0s', 14_400_000],
    ['1h2m3.5s', '1h2m3.5s', 3_723_500],
    ['100ms', '100ms', 100],
    ['1500us', '1.5ms', 1.5],
    ['.5s', '500ms', 500],
    ['0', '0s', 0],
    ['-2s', '-2s', -2000],
    ['7ns', '7ns', 0.000007],
    ['1.0000005s', '1.0000005s', 1000.0005],
  ])('[config-1.1] reads %s as %s', (text, canonical, ms) => {
    const nanoseconds = parseGoDuration(text);
    expect(nanoseconds).toBeDefined();
    expect(formatGoDuration(nanoseconds ?? 0n)).toBe(canonical);
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', '10', 's', '1x', '1m 30s', '1e3s', '-', '.s', '9999999h', '1'.repeat(100) + 's'])('[config-1.2] refuses %j', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });

  it('[config-1.3] prints what it reads back, for every duration', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), (nanoseconds) => {
        expect(parseGoDuration(formatGoDuration(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });
});
