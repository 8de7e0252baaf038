export { EventbusConfig } from './config.js';
export { eventbus } from './eventbus.module.js';
