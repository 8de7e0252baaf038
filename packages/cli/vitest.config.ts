import { mergeConfig, defineConfig } from 'vitest/config';
import base from '../../tools/vitest.base.js';

// maxConcurrency: the node conformance specs run eight at a time.
export default mergeConfig(base, defineConfig({ test: { globalSetup: ['./test/support/global-setup.ts'], maxConcurrency: 8 } }));
