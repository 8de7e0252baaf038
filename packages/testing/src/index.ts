export { aloud, printingLogger, printLine, stayIfAsked } from './module/aloud.js';
export type { Print } from './module/aloud.js';
export { describeModule } from './module/describe-module.js';
export type { ModuleScene } from './module/describe-module.js';
export { collectingDeadLetters, collectingLogger, testGates, testIdentity } from './module/doubles.js';
export type { DeadLetter, LogLine } from './module/doubles.js';
export { ownLoopback } from './module/own-loopback.js';
export { runModule, startModule } from './module/run-module.js';
export type { RunModuleOptions, RunningModule } from './module/run-module.js';
export { brief, createTestBus } from './module/test-bus.js';
export type { PlayedModule, Script, TestBus } from './module/test-bus.js';
export { isRoutine, readCapture, subject } from './player/capture.js';
export type { CaptureStep } from './player/capture.js';
export { normalise } from './player/normalise.js';
export type { NormaliseOptions } from './player/normalise.js';
export { playRecordedCloud } from './player/recorded-cloud.js';
export type { Heard, RecordedCloud, RecordedCloudOptions } from './player/recorded-cloud.js';
export { createMemoryStore } from './store/memory-store.js';
export type { MemoryStore } from './store/memory-store.js';
export { storeSuite } from './store/suite.js';
export type { StoreSuiteOptions } from './store/suite-kit.js';
export { createTestCa } from './tls/test-ca.js';
export type { IssuedPair, TestCa, Validity } from './tls/test-ca.js';
export { behaviourOfCommand, createMemoryRuntime, eventually, execOfCommand, memoryCommands, outputOf, runtimeSuite, RuntimeScene, shellCommands } from './runtime/index.js';
export type {
  MemoryBehaviour,
  MemoryExec,
  MemoryNames,
  MemoryRuntime,
  MemoryRuntimeOptions,
  RuntimeAbilities,
  RuntimeCall,
  RuntimeCommands,
  RuntimeSubject,
  RuntimeSuiteOptions,
} from './runtime/index.js';
export { createRelay } from './relay/relay.js';
export type { Relay, RelayMode } from './relay/relay.js';
export { BUSYBOX_IMAGE, buildImage, buildImageParts, mountsBelow, PAUSE_IMAGE, remoteCommand, requireContainerd, startContainerd, startRegistry, unmountBelow } from './containerd/index.js';
export type { Blob, Containerd, ContainerdOptions, ImageConfig, ImageParts, ImageRecipe, Registry, RegistryOptions, RemoteOutcome, TarEntry } from './containerd/index.js';
export { FULL_TESTS, loops } from './loops/loops.js';
export { freePort, freePorts } from './ports/free-ports.js';
export { startMosquitto } from './mosquitto/mosquitto.js';
export type { Mosquitto, MosquittoOptions } from './mosquitto/mosquitto.js';
