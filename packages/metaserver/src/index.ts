export { MetaServerConfig } from './config.js';
export type { Address } from './config.js';
export type { MetaServerErrorCode } from './errors.js';
export { MetaServer } from './metaserver.js';
export { metaserver } from './metaserver.module.js';
