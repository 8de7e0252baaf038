import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Line } from './line.js';

describe('a line', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('[line-1] stays while the client reads however slowly, and ends 30 s after the last byte that it took', async () => {
    let read: (() => void) | undefined;
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => void (read = done) });
    const ends: string[] = [];
    let flows = 0;
    const line = new Line(stream, { onData: () => undefined, onFlow: () => (flows += 1), onEnd: (why) => ends.push(why) });
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (let number = 0; number < 6; number += 1) line.write(Buffer.alloc(1024 * 1024));
    await turn();
    // A megabyte every 25 s: never all of it within 30 s.
    for (let number = 0; number < 5; number += 1) {
      vi.advanceTimersByTime(25_000);
      read?.();
      await turn();
    }
    expect([ends, flows]).toEqual([[], 0]);
    vi.advanceTimersByTime(29_000 + 30_000);
    expect(ends).toEqual(['it has not read for 30 s']);
  });
});
