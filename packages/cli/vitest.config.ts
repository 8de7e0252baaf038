import { mergeConfig, defineConfig } from 'vitest/config';
import base from '../../tools/vitest.base.js';

export default mergeConfig(base, defineConfig({ test: { globalSetup: ['./test/support/global-setup.ts'] } }));
