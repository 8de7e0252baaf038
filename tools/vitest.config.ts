import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: { name: 'tools', include: ['**/*.test.ts'], environment: 'node', pool: 'forks', testTimeout: 300_000, hookTimeout: 300_000 },
});
