export { hashPassword } from './broker/passwords.js';
export { EventBusConfig, parseEventBusConfig } from './config.js';
export type { EventBusErrorCode } from './errors.js';
export type { EventBus } from './eventbus.js';
export { eventbus, eventbus as default } from './eventbus.module.js';
