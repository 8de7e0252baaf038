/** One line of a log file in the runtime's format: `<stamp> <stream> <tag> <text>\n`. */
export interface LogLine {
  /** Where its stamp ends in the buffer: RFC 3339 with nanoseconds, see `stampOf`. */
  readonly stampEnd: number;
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
const STREAMS = [
  ['stdout', Buffer.from('stdout ', 'latin1')],
  ['stderr', Buffer.from('stderr ', 'latin1')],
] as const;
const STREAM_LENGTH = 'stdout '.length;

/** Reads the head of a line at `from`; undefined for what is no such line. Tags after the first say nothing to us. */
export function parseLogLine(buffer: Buffer, from: number, to: number): LogLine | undefined {
  const streamAt = buffer.indexOf(SPACE, from) + 1;
  if (streamAt === 0 || streamAt - from > HEAD_BYTES) return undefined;
  // No strings here: of a log of short lines they would be most of the work.
  const stream = STREAMS.find(([, letters]) => startsWith(buffer, streamAt, letters))?.[0];
  if (stream === undefined) return undefined;
  const tagAt = streamAt + STREAM_LENGTH;
  if (tagAt >= to) return undefined;
  const tagEnd = buffer[tagAt + 1] === SPACE ? tagAt + 1 : buffer.indexOf(SPACE, tagAt);
  if (tagEnd < 0 || tagEnd >= to) return undefined;
  return { stampEnd: streamAt - 1, stream, partial: buffer[tagAt] === PARTIAL, textAt: tagEnd + 1 };
}

/** When the line was written, as it says. */
export function stampOf(buffer: Buffer, from: number, line: LogLine): string {
  return buffer.toString('latin1', from, line.stampEnd);
}

function startsWith(buffer: Buffer, at: number, letters: Buffer): boolean {
  for (let index = 0; index < letters.length; index += 1) if (buffer[at + index] !== letters[index]) return false;
  return true;
}
