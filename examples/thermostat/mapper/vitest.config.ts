import { defineConfig } from 'vitest/config';

export default defineConfig({ resolve: { tsconfigPaths: true }, test: { include: ['*.test.ts'], environment: 'node', pool: 'forks', testTimeout: 60_000 } });
