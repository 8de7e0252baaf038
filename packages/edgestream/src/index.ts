export { EdgeStreamConfig } from './config.js';
export { edgestream } from './edgestream.module.js';
export { EdgeStreamErrors } from './errors.js';
