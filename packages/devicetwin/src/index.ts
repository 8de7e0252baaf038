export { DevicetwinConfig } from './config.js';
export { devicetwin } from './devicetwin.module.js';
