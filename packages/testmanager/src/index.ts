export { TestmanagerConfig } from './config.js';
export { testmanager } from './testmanager.module.js';
