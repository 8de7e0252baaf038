export { twinRecorder } from './twin-recorder.module.js';
