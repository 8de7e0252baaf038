import type { FileHandle } from 'node:fs/promises';
import { HEAD_BYTES, parseLogLine } from './cri-line.js';

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Where in a log file the last `lines` lines of the container begin. Read from the end, so the cost follows the answer
 * and not the file. A long line that the runtime has split counts once, lines of other streams do not count.
 */
export async function tailOffset(file: FileHandle, size: number, lines: number, stream?: 'stdout' | 'stderr'): Promise<number> {
  let wanted = lines;
  let atEnd = true;
  const buffer = Buffer.allocUnsafe(BLOCK + HEAD_BYTES);
  /** Where the line that is looked at ends. */
  let lineEnd = size;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK);
    // Some bytes beyond the block: a line that begins at its end has its head there.
    const { bytesRead } = await file.read(buffer, 0, Math.min(size, end + HEAD_BYTES) - start, start);
    for (let at = end - start - 1; at >= -1; at -= 1) {
      at = at < 0 ? -1 : buffer.lastIndexOf(NEWLINE, at);
      if (at < 0 && start > 0) break;
      const lineStart = start + at + 1;
      if (lineStart >= lineEnd) continue;
      const line = parseLogLine(buffer, at + 1, Math.min(bytesRead, lineEnd - start));
      if (line && (stream === undefined || line.stream === stream)) {
        // A beginning without an end at the very end of the file is a line as well.
        if (!line.partial || atEnd) {
          if (wanted === 0) return lineEnd;
          wanted -= 1;
        }
        atEnd = false;
      }
      lineEnd = lineStart;
    }
    end = start;
  }
  return lines === 0 ? size : 0;
}
