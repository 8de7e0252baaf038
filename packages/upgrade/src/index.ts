export type { ServiceManager } from './service-manager.js';
