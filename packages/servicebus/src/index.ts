export { ServiceBusConfig } from './config.js';
export { servicebus } from './servicebus.module.js';
