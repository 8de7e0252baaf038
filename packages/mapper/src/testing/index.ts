/** For tests of mappers. An entry of its own (`@edge/mapper/testing`), so that programs do not load it. */
export { TestEdgeCore, testDevice } from './test-edge-core.js';
export type { TestDevice, TestProperty } from './test-edge-core.js';
