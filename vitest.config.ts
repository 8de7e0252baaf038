import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { TogetherLongFirst } from './tools/long-first.js';
import base from './tools/vitest.base.js';

/** Packages with test settings of their own (`vitest.config.ts`), which are projects of their own. */
const APART = ['packages/cli', 'packages/upgrade'];
/** Files that put something else in the place of a part of Node.js before anything reads it, so each has a process of its own. */
const ALONE = ['packages/edged/test/process-runtime.nowatch.test.ts'];

/**
 * Files of all other packages in one project, which reads and transforms what they share once, not once for each package; and
 * in processes that go from file to file, as reading the sources takes longer than most of the tests. So a test puts back
 * what it changes of its process: variables of the environment, timers, listeners.
 */
const all: TestProjectInlineConfiguration = {
  ...base,
  test: { ...base.test, name: 'packages', include: ['packages/*/{src,test}/**/*.test.ts'], exclude: [...configDefaults.exclude, ...APART.map((path) => `${path}/**`), ...ALONE], isolate: false },
};
const alone: TestProjectInlineConfiguration = { ...base, test: { ...base.test, name: 'alone', include: ALONE, isolate: true } };

/**
 * All packages, the examples and the tools in one run; in a package, `npm test` runs that package alone. Most of the long tests wait, so there
 * are more of them at a time than processors.
 */
export default defineConfig({
  test: {
    projects: [all, alone, ...APART, 'examples/*/mapper', 'examples/own-module', 'tools'],
    maxWorkers: 4,
    sequence: { sequencer: TogetherLongFirst },
  },
});
