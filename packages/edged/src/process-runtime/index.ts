export { createProcessRuntime } from './create-process-runtime.js';
export type { ProcessRuntimeOptions } from './create-process-runtime.js';
