export { runtimeSockets } from './sockets.js';
