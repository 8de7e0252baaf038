export { createCriRuntime } from './create-cri-runtime.js';
export type { CriRuntimeOptions } from './create-cri-runtime.js';
export type { CriRuntime } from './cri-runtime.js';
export { CriError, CriErrors } from './errors.js';
export { findRuntime } from './find-runtime.js';
export type { FindOptions, FoundRuntime } from './find-runtime.js';
export { runtimeSockets } from './sockets.js';
