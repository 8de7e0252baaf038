import { mergeConfig } from 'vitest/config';
import base from '../../tools/vitest.base.js';

// Nodes whose power fails mostly wait, so there are many of them at a time.
export default mergeConfig(base, { test: { maxConcurrency: 12 } });
