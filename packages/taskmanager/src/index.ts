export type { LoadMeter } from './checks/check-items.js';
export { TaskManagerConfig } from './config.js';
export { TaskErrors } from './errors.js';
export { NodeInstallation } from './installation.js';
export type { InstallationReport } from './installation.js';
export { createTaskManager, taskmanager } from './taskmanager.module.js';
