export { MinicloudErrors } from './errors.js';
export type { MinicloudErrorCode } from './errors.js';
export type { RetryPolicy } from './hub/ack-sender.js';
export type { SessionInfo } from './hub/cloud-hub.js';
export { readArguments, runMinicloud } from './main-program.js';
export type { ProgramIo, ReadyLine } from './main-program.js';
export { startMinicloud } from './minicloud.js';
export type { Minicloud } from './minicloud.js';
export type { MinicloudOptions } from './options.js';
