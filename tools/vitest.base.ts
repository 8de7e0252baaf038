import { defineConfig } from 'vitest/config';

/** The one test setting of all packages: source to source, no build first. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    setupFiles: [new URL('./vitest.setup.ts', import.meta.url).pathname],
    // What has to come comes in milliseconds; on a busy machine it may take this long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
