import { closeSync, openSync } from 'node:fs';
import { stderrSink } from '../log/sink.js';
import type { LineSink } from '../log/klog.js';

/** Log lines into a file, appended. */
export function fileSink(path: string): LineSink & Disposable {
  const descriptor = openSync(path, 'a', 0o600);
  return { ...stderrSink(descriptor), [Symbol.dispose]: () => closeSync(descriptor) };
}
