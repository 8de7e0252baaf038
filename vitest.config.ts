import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongFirst } from './tools/long-first.js';
import base from './tools/vitest.base.js';

/** Files of all packages in one project, which reads what they share once, not once for each package. */
const all = (name: string, folder: 'src' | 'test', isolate: boolean): TestProjectInlineConfiguration => ({
  ...base,
  test: { ...base.test, name, include: [`packages/*/${folder}/**/*.test.ts`], isolate },
});

/**
 * All packages, the examples and the tools in one run; in a package, `npm test` runs that package alone. Most of the long tests wait, so there
 * are more of them at a time than processors. Tests beside their source are of functions and share a process, which
 * has read the sources by then; each of the others has one of its own.
 */
export default defineConfig({
  test: {
    projects: [all('units', 'src', false), all('packages', 'test', true), 'examples/*/mapper', 'tools'],
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
  },
});
