import { defineConfig, type Options } from 'tsup';

/** The one build setting of all packages: a single ESM file with types, dependencies left outside. */
export const lib = (over: Options = {}): ReturnType<typeof defineConfig> =>
  defineConfig({
    entry: ['src/index.ts'],
    format: ['esm'],
    target: 'node20',
    platform: 'node',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: false,
    treeshake: false,
    ...over,
  });
