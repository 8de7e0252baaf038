export { TestManagerConfig } from './config.js';
export { testmanager } from './testmanager.module.js';
