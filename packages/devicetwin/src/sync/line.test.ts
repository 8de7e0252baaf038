import { describe, expect, it } from 'vitest';
import { dueAt, newLine, nextLine } from './line.js';
import { NO_PAUSE, pauseAfter } from './pauses.js';

describe('pauses towards the cloud', () => {
  it('[twin-3.20] grow with each silence, to ten minutes; with news to half a minute', () => {
    const same = Array.from({ length: 14 }, (_, index) => pauseAfter(index + 1, 0).same / 1000);
    const fresh = Array.from({ length: 14 }, (_, index) => pauseAfter(index + 1, 0).fresh / 1000);
    expect(same).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600]);
    expect(fresh).toEqual([0, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30, 30, 30]);
    expect(pauseAfter(5000, 0).same).toBe(600_000);
  });

  it('[twin-3.21] the oldest news goes first, of those that may go', () => {
    const lines = ['a', 'b', 'c', 'd'].map((id, index) => newLine(id, 'twin', 100 - index));
    const [a, b, c, d] = lines as [(typeof lines)[0], (typeof lines)[0], (typeof lines)[0], (typeof lines)[0]];
    d.inFlight = true;
    c.pause = { fresh: 50, same: 70 };
    expect(nextLine(lines, 40)).toEqual({ line: b, lookAgain: 70 });
    c.fresh = true;
    expect(dueAt(c)).toBe(50);
    expect(nextLine(lines, 60).line).toBe(c);
    for (const line of lines) Object.assign(line, { pause: { fresh: 90, same: 95 }, fresh: line === a });
    expect(nextLine(lines, 60)).toEqual({ line: undefined, lookAgain: 90 });
    for (const line of lines) Object.assign(line, { pause: NO_PAUSE, inFlight: true });
    expect(nextLine(lines, 60)).toEqual({ line: undefined, lookAgain: Infinity });
  });
});
