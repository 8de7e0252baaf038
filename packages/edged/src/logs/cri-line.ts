/** One line of a log file in the runtime's format: `<stamp> <stream> <tag> <text>\n`. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  readonly stamp: string;
  readonly stream: 'stdout' | 'stderr';
  /** The container wrote more before the next newline. */
  readonly partial: boolean;
  /** Where the text begins in the buffer. */
  readonly textAt: number;
}

/** A stamp, a stream, tags and the spaces between them take less. */
export const HEAD_BYTES = 96;

const SPACE = 0x20;
const PARTIAL = 0x50;

/** Reads the head of a line at `from`; undefined for what is no such line. Tags after the first say nothing to us. */
export function parseLogLine(buffer: Buffer, from: number, to: number): LogLine | undefined {
  const streamAt = buffer.indexOf(SPACE, from) + 1;
  if (streamAt === 0 || streamAt - from > HEAD_BYTES) return undefined;
  const tagAt = buffer.indexOf(SPACE, streamAt) + 1;
  if (tagAt === 0 || tagAt >= to) return undefined;
  const tagEnd = buffer.indexOf(SPACE, tagAt);
  if (tagEnd < 0 || tagEnd >= to) return undefined;
  const stream = buffer.toString('latin1', streamAt, tagAt - 1);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return { stamp: buffer.toString('latin1', from, streamAt - 1), stream, partial: buffer[tagAt] === PARTIAL, textAt: tagEnd + 1 };
}
