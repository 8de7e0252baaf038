import { mergeConfig, defineConfig } from 'vitest/config';
import base from '../../tools/vitest.base.js';

// maxConcurrency: the node conformance specs run eight at a time. A process goes on with the next file: reading the whole agent takes seconds.
export default mergeConfig(base, defineConfig({ test: { globalSetup: ['./test/support/global-setup.ts'], maxConcurrency: 8, isolate: false } }));
