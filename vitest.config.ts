import { defineConfig } from 'vitest/config';

/** All packages and the tools in one run; in a package, `npm test` runs that package alone. */
export default defineConfig({ test: { projects: ['packages/*', 'tools'], maxWorkers: 2 } });
