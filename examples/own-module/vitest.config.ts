import { defineConfig } from 'vitest/config';

export default defineConfig({ resolve: { tsconfigPaths: true }, test: { include: ['*.test.ts'], environment: 'node', pool: 'forks', setupFiles: ['reflect-metadata'], testTimeout: 90_000, hookTimeout: 60_000 } });
