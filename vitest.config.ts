import { defineConfig } from 'vitest/config';
import { LongFirst } from './tools/long-first.js';

/** All packages, the examples and the tools in one run; in a package, `npm test` runs that package alone. Most of the long tests wait, so there are more of them at a time than processors. */
export default defineConfig({ test: { projects: ['packages/*', 'examples/*/mapper', 'tools'], maxWorkers: 3, sequence: { sequencer: LongFirst } } });
