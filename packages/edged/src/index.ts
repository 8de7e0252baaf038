export { EdgedConfig, parseEdgedConfig } from './config.js';
export { createEdged, edged } from './edged.module.js';
export type { EdgedErrorCode } from './errors.js';
export { createProcessRuntime } from './process-runtime/index.js';
export type { ProcessRuntimeOptions } from './process-runtime/index.js';
export { openConfiguredRuntime } from './runtime-access.js';
export type { OpenRuntime, OpenRuntimeInput, RuntimeAccess } from './runtime-access.js';
