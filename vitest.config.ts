import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongFirst } from './tools/long-first.js';
import base from './tools/vitest.base.js';

/** Packages with test settings of their own (`vitest.config.ts`), which are projects of their own. */
const APART = ['packages/cli', 'packages/upgrade'];

/** Files of all other packages in one project, which reads what they share once, not once for each package. */
const all = (name: string, folder: 'src' | 'test', isolate: boolean): TestProjectInlineConfiguration => ({
  ...base,
  test: { ...base.test, name, include: [`packages/*/${folder}/**/*.test.ts`], exclude: [...configDefaults.exclude, ...APART.map((path) => `${path}/**`)], isolate },
});

/**
 * All packages, the examples and the tools in one run; in a package, `npm test` runs that package alone. Most of the long tests wait, so there
 * are more of them at a time than processors. Tests beside their source are of functions and share a process, which
 * has read the sources by then; each of the others has one of its own.
 */
export default defineConfig({
  test: {
    projects: [all('units', 'src', false), all('packages', 'test', true), ...APART, 'examples/*/mapper', 'tools'],
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
  },
});
