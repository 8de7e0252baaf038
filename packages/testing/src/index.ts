export { describeModule } from './module/describe-module.js';
export type { ModuleScene } from './module/describe-module.js';
export { collectingDeadLetters, collectingLogger, testGates, testIdentity } from './module/doubles.js';
export type { DeadLetter, LogLine } from './module/doubles.js';
export { runModule, startModule } from './module/run-module.js';
export type { RunModuleOptions, RunningModule } from './module/run-module.js';
export { brief, createTestBus } from './module/test-bus.js';
export type { PlayedModule, Script, TestBus } from './module/test-bus.js';
