/** Bytes of text per log line; a longer line is split. The figure of containerd. */
export const MAX_LOG_TEXT = 16 * 1024;

export type LogStream = 'stdout' | 'stderr';

const NEWLINE = 10;
const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);

/** RFC 3339 in UTC with nine decimals. */
export function logStamp(at: number): string {
  return new Date(at).toISOString().replace('Z', '000000Z');
}

/**
 * Turns output into log lines `<stamp> <stream> F|P <text>\n`. `F` stands for a text that ended in a newline, `P` for
 * one that did not, so joining the texts gives the output back byte for byte. An unfinished line is left for the next
 * time unless `flush` is set.
 */
export function encodeLog(raw: Buffer, stream: LogStream, stamp: string, flush: boolean): { readonly bytes: Buffer; readonly consumed: number } {
  const full = Buffer.from(`${stamp} ${stream} F `);
  const partial = Buffer.from(`${stamp} ${stream} P `);
  const newline = Buffer.from('\n');
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < raw.length) {
    const found = raw.subarray(at, at + MAX_LOG_TEXT + 1).indexOf(NEWLINE);
    if (found >= 0) {
      pieces.push(full, raw.subarray(at, at + found + 1));
      at += found + 1;
    } else if (raw.length - at > MAX_LOG_TEXT) {
      pieces.push(partial, raw.subarray(at, at + MAX_LOG_TEXT), newline);
      at += MAX_LOG_TEXT;
    } else if (flush) {
      pieces.push(partial, raw.subarray(at), newline);
      at = raw.length;
    } else {
      break;
    }
  }
  return { bytes: Buffer.concat(pieces), consumed: at };
}

/** How many bytes of output the complete lines of a log stand for, and how many bytes of the log they are. */
export function measureLog(log: Buffer): { readonly stdout: number; readonly stderr: number; readonly complete: number } {
  const sums = { stdout: 0, stderr: 0 };
  let at = 0;
  for (let end = log.indexOf(NEWLINE, at); end >= 0; end = log.indexOf(NEWLINE, at)) {
    const streamAt = log.indexOf(SPACE, at) + 1;
    const tagAt = log.indexOf(SPACE, streamAt) + 1;
    const textAt = log.indexOf(SPACE, tagAt) + 1;
    const stream = log.toString('latin1', streamAt, tagAt - 1);
    if (streamAt > at && tagAt > streamAt && textAt > tagAt && textAt <= end && (stream === 'stdout' || stream === 'stderr')) {
      sums[stream] += end - textAt + (log[tagAt] === PARTIAL ? 0 : 1);
    }
    at = end + 1;
  }
  return { ...sums, complete: at };
}
