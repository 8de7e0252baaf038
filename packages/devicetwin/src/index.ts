export { DeviceTwinConfig } from './config.js';
export { DeviceTwin } from './devicetwin.js';
export { devicetwin } from './devicetwin.module.js';
