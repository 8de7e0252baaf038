export { EdgedConfig, parseEdgedConfig } from './config.js';
export { createEdged, edged } from './edged.module.js';
export type { EdgedErrorCode } from './errors.js';
export { createProcessRuntime } from './process-runtime/index.js';
export type { ProcessRuntimeOptions } from './process-runtime/index.js';
export { openConfiguredRuntime } from './runtime/open-runtime.js';
export type { OpenedRuntime, OpenRuntime, OpenRuntimeInput } from './runtime/open-runtime.js';
