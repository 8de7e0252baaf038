export { compose, MODULES } from './compose.js';
export type { Platform } from './compose.js';
export { createKlog } from './log/klog.js';
export type { LineSink } from './log/klog.js';
export { main } from './program.js';
export type { Terminal } from './program.js';
export { AGENT_VERSION, KUBEEDGE_VERSION } from './version.js';
