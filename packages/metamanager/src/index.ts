export { MetaManagerConfig, parseMetaManagerConfig } from './config.js';
export type { MetaManagerErrorCode } from './errors.js';
export type { MetaManager } from './metamanager.js';
export { metamanager, metamanager as default } from './metamanager.module.js';
