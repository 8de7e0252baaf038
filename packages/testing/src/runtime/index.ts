export { memoryCommands, shellCommands } from './commands.js';
export { behaviourOfCommand, execOfCommand } from './memory-behaviour.js';
export type { MemoryBehaviour, MemoryExec } from './memory-behaviour.js';
export type { MemoryNames } from './memory-host.js';
export { createMemoryRuntime } from './memory-runtime.js';
export type { MemoryRuntime, MemoryRuntimeOptions, RuntimeCall } from './memory-runtime.js';
export { runtimeSuite } from './suite.js';
export { eventually, outputOf, RuntimeScene } from './suite-kit.js';
export type { RuntimeAbilities, RuntimeCommands, RuntimeSubject, RuntimeSuiteOptions } from './suite-kit.js';
