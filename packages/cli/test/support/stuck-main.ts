import { stopOnSignals } from '../../src/agent/signals.js';
import { createKlog } from '../../src/log/klog.js';
import { stderrSink } from '../../src/log/sink.js';

// A program that hears the first signal and does not stop: only the second one may end it.
const stop = new AbortController();
stopOnSignals(stop, createKlog(stderrSink(), { level: 0, patterns: [] }));
setInterval(() => undefined, 1000);
process.stdout.write('running\n');
