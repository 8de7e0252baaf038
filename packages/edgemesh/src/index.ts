export { EdgemeshConfig } from './config.js';
export { edgemesh } from './edgemesh.module.js';
