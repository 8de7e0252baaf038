export { TaskmanagerConfig } from './config.js';
export { taskmanager } from './taskmanager.module.js';
