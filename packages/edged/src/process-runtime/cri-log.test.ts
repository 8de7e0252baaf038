import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLog, logStamp, MAX_LOG_TEXT, measureLog } from './cri-log.js';

const STAMP = logStamp(0);

/** The output that the lines stand for. */
function decode(log: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let end = log.indexOf(10, at); end >= 0; end = log.indexOf(10, at)) {
    const head = `${STAMP} stdout `.length;
    pieces.push(log.subarray(at + head + 2, log[at + head] === 'F'.charCodeAt(0) ? end + 1 : end));
    at = end + 1;
  }
  return Buffer.concat(pieces);
}

describe('the CRI log format', () => {
  it('[edged-process-log-1] stamps in UTC with nine decimals', () => {
    expect(logStamp(Date.UTC(2026, 0, 2, 3, 4, 5, 60))).toBe('2026-01-02T03:04:05.060000000Z');
  });

  it('[edged-process-log-2] marks a whole line F, and leaves an unfinished one for later', () => {
    const { bytes, consumed } = encodeLog(Buffer.from('one\n\ntwo'), 'stderr', STAMP, false);
    expect(bytes.toString()).toBe(`${STAMP} stderr F one\n${STAMP} stderr F \n`);
    expect(consumed).toBe(5);
  });

  it('[edged-process-log-3] marks an unfinished line P when there will be no more', () => {
    expect(encodeLog(Buffer.from('one\ntwo'), 'stdout', STAMP, true).bytes.toString()).toBe(`${STAMP} stdout F one\n${STAMP} stdout P two\n`);
  });

  it.each([
    [MAX_LOG_TEXT - 1, ['F']],
    [MAX_LOG_TEXT, ['F']],
    [MAX_LOG_TEXT + 1, ['P', 'F']],
    [2 * MAX_LOG_TEXT, ['P', 'F']],
    [2 * MAX_LOG_TEXT + 1, ['P', 'P', 'F']],
  ])('[edged-process-log-4] splits a line of %i bytes into %j', (length, tags) => {
    const { bytes, consumed } = encodeLog(Buffer.from(`${'x'.repeat(length)}\n`), 'stdout', STAMP, false);
    expect(consumed).toBe(length + 1);
    expect(bytes.toString().trimEnd().split('\n').map((line) => line.split(' ')[2])).toEqual(tags);
  });

  it('[edged-process-log-5] a line that just fills a piece waits for what comes next', () => {
    expect(encodeLog(Buffer.alloc(MAX_LOG_TEXT, 'x'), 'stdout', STAMP, false).consumed).toBe(0);
  });

  it('[edged-process-log-6] any bytes come out as they went in, and are measured as they are', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array([10, 10])), fc.integer({ min: 1, max: 40_000 }).map((length) => new Uint8Array(length).fill(120)));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const raw = Buffer.concat(pieces);
        const { bytes, consumed } = encodeLog(raw, 'stdout', STAMP, true);
        expect(consumed).toBe(raw.length);
        expect(decode(bytes).equals(raw)).toBe(true);
        expect(measureLog(bytes)).toEqual({ stdout: raw.length, stderr: 0, complete: bytes.length });
      }),
      { numRuns: 100 },
    );
  });

  it('[edged-process-log-7] measures whole lines only, and each stream apart', () => {
    const log = Buffer.from(`${STAMP} stdout F ab\n${STAMP} stderr P xyz\n${STAMP} stderr F \n${STAMP} stdout F cut of`);
    expect(measureLog(log)).toEqual({ stdout: 3, stderr: 4, complete: log.lastIndexOf(10) + 1 });
  });
});
