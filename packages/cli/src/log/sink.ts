import { writeSync } from 'node:fs';
import type { LineSink } from './klog.js';

/**
 * Lines to standard error. Written at once and synchronously: a line about what ends the process must not be lost in
 * a buffer. When the reader is gone the line is dropped; an agent does not die of a closed log pipe.
 */
export function stderrSink(descriptor = 2): LineSink {
  return {
    write: (line) => {
      try {
        writeSync(descriptor, line);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        // EAGAIN: a full non-blocking pipe. EPIPE, EBADF, EIO: nobody reads any more.
        if (code !== 'EAGAIN' && code !== 'EPIPE' && code !== 'EBADF' && code !== 'EIO') throw error;
      }
    },
  };
}
