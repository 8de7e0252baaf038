export { EdgeMeshConfig } from './config.js';
export { edgemesh } from './edgemesh.module.js';
export { EdgeMeshErrors } from './errors.js';
