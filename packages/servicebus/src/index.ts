export { ServicebusConfig } from './config.js';
export { servicebus } from './servicebus.module.js';
